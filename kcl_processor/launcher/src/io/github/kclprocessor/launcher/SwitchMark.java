package io.github.kclprocessor.launcher;

/**
 * What a switchover leaves beside a task's checkpoints, as {@code launch/switch_mark.py} writes it. Once its
 * writers have moved to the destination, what comes from the source would be laid over their changes.
 */
final class SwitchMark {
    static final String KEY = "KclProcessorSwitchover";

    private SwitchMark() {}

    /**
     * Refuses a start of a task that was switched over.
     *
     * @throws Refused if its certificate stands
     */
    static void refuse(OwnRows rows, String task) {
        if (rows.read(KEY).filter(mark -> mark.get("state").s().equals("over")).isPresent()) {
            throw new Refused(ExitStatus.CONFIG, "Task " + task + " was switched over: its writers write to its "
                    + "destination now, and what comes from its source would be laid over it.",
                    "kcl-processor switchover " + task + " --back, if they are back at the source");
        }
    }
}
