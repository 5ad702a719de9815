{{- define "kcl-processor.name" -}}
{{- if contains "kcl-processor" .Release.Name }}{{ .Release.Name }}{{ else }}{{ .Release.Name }}-kcl-processor{{ end -}}
{{- end }}

{{- define "kcl-processor.account" -}}
{{ .Values.serviceAccount.name | default (include "kcl-processor.name" .) }}
{{- end }}

{{- define "kcl-processor.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{- define "kcl-processor.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "kcl-processor.labels" -}}
{{ include "kcl-processor.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{/* Of a task's daemons, by its name, and of no job. */}}
{{- define "kcl-processor.daemon" -}}
app.kubernetes.io/component: daemon
kcl-processor/task: {{ . }}
{{- end }}

{{- define "kcl-processor.tasks" -}}
tasks:
  {{- toYaml .Values.tasks | nindent 2 }}
{{- end }}

{{/* Of every pod: as the restricted standard of pod security asks. */}}
{{- define "kcl-processor.pod" -}}
serviceAccountName: {{ include "kcl-processor.account" . }}
# What IRSA mounts is another token than the cluster's own, which nobody needs here.
automountServiceAccountToken: false
{{- with .Values.imagePullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
{{- with .Values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "kcl-processor.container" -}}
image: {{ include "kcl-processor.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
volumeMounts:
  - {name: config, mountPath: /config, readOnly: true}
  - {name: state, mountPath: /state}
  - {name: logs, mountPath: /logs}
  - {name: tmp, mountPath: /tmp}
{{- end }}

{{- define "kcl-processor.volumes" -}}
- name: config
  configMap: {name: {{ include "kcl-processor.name" . }}}
- name: logs
  emptyDir: {sizeLimit: {{ .Values.logs.sizeLimit }}}
- name: tmp
  emptyDir: {sizeLimit: 256Mi}
{{- end }}
