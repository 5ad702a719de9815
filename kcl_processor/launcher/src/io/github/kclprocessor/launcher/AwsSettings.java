package io.github.kclprocessor.launcher;

import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What the Java SDK does not know of AWS's settings and botocore does, so that the daemon goes the way
 * that {@code doctor} and the record processors go. The table in aws/README.md says who obeys what.
 */
final class AwsSettings {
    /** Seconds. The SDK's own one second is less than a busy host's metadata may take. */
    private static final String METADATA_TIMEOUT = "5";
    private static final int METADATA_ATTEMPTS = 3;
    private static final Pattern VARIABLE = Pattern.compile("\\$(?:(\\w+)|\\{([^}]*)\\})");

    private AwsSettings() {}

    /**
     * Sets the system properties that the SDK reads, unless the command line has set them.
     *
     * @throws IllegalArgumentException a setting cannot be used
     */
    static void apply(Map<String, String> environment, Properties system, ReplicaProperties replica) {
        files(environment, system);
        profile(environment, system);
        // Where STS is asked for the default chain's roles; without it the SDK takes another partition's, too.
        replica.region().ifPresent(region -> system.putIfAbsent("aws.region", region));
        metadata(environment, system, Profile::property);
        system.putIfAbsent("software.amazon.awssdk.http.service.impl", BlockingHttp.class.getName());
        system.putIfAbsent("software.amazon.awssdk.http.async.service.impl", AsyncHttp.class.getName());
        CaBundle.named();
    }

    /** How often to look for credentials before there are none, which the SDK asks metadata for once. */
    static int metadataAttempts(Map<String, String> environment, Function<String, Optional<String>> profile) {
        return Optional.ofNullable(environment.get("AWS_METADATA_SERVICE_NUM_ATTEMPTS"))
                .or(() -> profile.apply("metadata_service_num_attempts"))
                .map(Integer::parseInt)
                .orElse(METADATA_ATTEMPTS);
    }

    /** For botocore, a path of the shared files may hold variables, as in {@code $HOME/.aws/config}. */
    static void files(Map<String, String> environment, Properties system) {
        Map.of("AWS_CONFIG_FILE", "aws.configFile", "AWS_SHARED_CREDENTIALS_FILE", "aws.sharedCredentialsFile")
                .forEach((variable, property) -> Optional.ofNullable(environment.get(variable))
                        .filter(path -> path.contains("$"))
                        .ifPresent(path -> system.putIfAbsent(property, expanded(path, environment))));
    }

    /** With the values of the variables that there are; as Python's {@code os.path.expandvars}. */
    private static String expanded(String path, Map<String, String> environment) {
        return VARIABLE.matcher(path).replaceAll(found -> {
            String name = found.group(1) == null ? found.group(2) : found.group(1);
            return Matcher.quoteReplacement(environment.getOrDefault(name, found.group()));
        });
    }

    /** For botocore, AWS_DEFAULT_PROFILE comes before AWS_PROFILE. */
    static void profile(Map<String, String> environment, Properties system) {
        Optional.ofNullable(environment.get("AWS_DEFAULT_PROFILE"))
                .ifPresent(name -> system.putIfAbsent("aws.profile", name));
    }

    /**
     * For botocore, a role that the profile in use leads to comes before a web identity, as each pod of EKS has
     * one; the SDK looks at profiles behind that, and would be somebody else.
     */
    static boolean roleOfProfileFirst(Map<String, String> environment, Function<String, Optional<String>> profile) {
        return environment.containsKey("AWS_WEB_IDENTITY_TOKEN_FILE")
                && !environment.containsKey("AWS_ACCESS_KEY_ID")
                && profile.apply("role_arn").isPresent()
                && profile.apply("source_profile").or(() -> profile.apply("credential_source")).isPresent();
    }

    static void metadata(
            Map<String, String> environment, Properties system, Function<String, Optional<String>> profile) {
        if (!environment.containsKey("AWS_METADATA_SERVICE_TIMEOUT")
                && !profile.apply("metadata_service_timeout").isPresent()) {
            system.putIfAbsent("aws.ec2MetadataServiceTimeout", METADATA_TIMEOUT);
        }
    }
}
