package io.github.kclprocessor.launcher;

import java.time.Duration;
import java.util.Set;

/** What the daemon's exit code will be; the first reason that was given counts. */
final class ExitStatus {
    static final int CRASH = 1;
    static final int CONFIG = 2;
    static final int PERMISSION = 5;
    static final int SOURCE = 6;
    static final int DESTINATION = 7;
    static final int GAP = 9;
    /** What a record processor may say by its own exit code; the same numbers as in errors.py. */
    private static final Set<Integer> DOCUMENTED = Set.of(CONFIG, PERMISSION, SOURCE, DESTINATION, 8, GAP, 70);

    private int reason;
    private int failures;
    private long failedAt = Long.MAX_VALUE;
    private boolean stopAsked;
    private boolean ending;
    private long endingSince;

    /** A shard cannot go on, for a reason of the launcher's own. */
    synchronized void fail(int code) {
        processorFailed();
        settle(code);
    }

    /** The KCL gives up on a shard's record processor, and will call {@code System.exit(1)}. */
    synchronized void processorFailed() {
        failures++;
        failedAt = Math.min(failedAt, System.currentTimeMillis());
    }

    /** The exit value of a record processor that the KCL has given up. */
    synchronized void childEnded(int exitValue) {
        settle(DOCUMENTED.contains(exitValue) ? exitValue : CRASH);
    }

    /** SIGTERM or SIGINT came. */
    synchronized void askStop() {
        stopAsked = true;
        end();
    }

    /** The JVM is ending, for whatever reason. */
    synchronized void end() {
        endingSince = ending ? endingSince : System.nanoTime();
        ending = true;
    }

    /** Whether it has been ending for so long. */
    synchronized boolean endingFor(Duration time) {
        return ending && System.nanoTime() - endingSince >= time.toNanos();
    }

    /** Whether nothing may be started any more. */
    synchronized boolean ending() {
        return ending;
    }

    /** Whether a stop was asked for. */
    synchronized boolean stopping() {
        return stopAsked;
    }

    /** Shards that failed, and so will never answer to a graceful shutdown. */
    synchronized int failures() {
        return failures;
    }

    /** When the first shard failed, in milliseconds since the epoch; behind all times if none has. */
    synchronized long failedAt() {
        return failedAt;
    }

    /** The exit code, given whether every shard ended in time. */
    synchronized int code(boolean graceful) {
        if (reason != 0) {
            return reason;
        }
        return stopAsked && graceful && failures == 0 ? 0 : CRASH;
    }

    private void settle(int code) {
        reason = reason == 0 ? code : reason;
    }
}
