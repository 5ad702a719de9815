package io.github.kclprocessor.launcher;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.turbo.TurboFilter;
import ch.qos.logback.core.spi.FilterReply;
import org.slf4j.MDC;
import org.slf4j.Marker;

/**
 * Learns how a record processor ended from the lines in which the KCL states it.
 *
 * <p>The KCL keeps the process to itself and answers any failure of it with {@code System.exit(1)},
 * and Java tells an exit value only to the owner of the process. A turbo filter hears a line
 * whatever the levels and appenders of the log configuration are.
 */
final class ChildExitFilter extends TurboFilter {
    static final String LOGGER = "software.amazon.kinesis.multilang.MultiLangShardRecordProcessor";
    static final String GIVES_UP = "Encountered an error while trying to ";
    static final String EXITED = "Child process exited with value: {}";

    private final ExitStatus status;
    /** The two lines come from one thread; a child that ends because its lease was lost has no first. */
    private final ThreadLocal<Boolean> gaveUp = ThreadLocal.withInitial(() -> false);

    ChildExitFilter(ExitStatus status) {
        this.status = status;
    }

    @Override
    public FilterReply decide(
            Marker marker, Logger logger, Level level, String format, Object[] arguments, Throwable thrown) {
        // Guarded calls such as isInfoEnabled() come without a format.
        if (format == null || !LOGGER.equals(logger.getName())) {
            return FilterReply.NEUTRAL;
        }
        if (format.startsWith(GIVES_UP) && !gaveUp.get()) {
            gaveUp.set(true);
            status.processorFailed();
        } else if (format.equals(EXITED) && gaveUp.get()) {
            int exitValue = (Integer) arguments[0];
            status.childEnded(exitValue);
            String shard = MDC.get(ShardProcessor.SHARD);
            String words = "the record processor ended " + how(exitValue) + ", and with it the daemon";
            Connectors.LOG.error("{}", Event.of("failed", shard, words, shard + " " + words));
        }
        return FilterReply.NEUTRAL;
    }

    /** Java gives the end by a signal as 128 and the signal's number. */
    static String how(int exitValue) {
        return exitValue > 128 ? "by signal " + (exitValue - 128) : "with exit code " + exitValue;
    }
}
