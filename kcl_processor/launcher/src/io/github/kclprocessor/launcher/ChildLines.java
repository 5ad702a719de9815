package io.github.kclprocessor.launcher;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;

/**
 * Writes what a record processor says on stderr to the connectors log, at the level it begins with.
 *
 * <p>The KCL logs each line as an error, wrapped in words of its own; the line and the shard are
 * the arguments of that event.
 */
public final class ChildLines extends AppenderBase<ILoggingEvent> {
    @Override
    protected void append(ILoggingEvent event) {
        Object[] arguments = event.getArgumentArray();
        if (arguments == null || arguments.length != 2) {
            return; // "Starting: …" and "Stopping: …" of the task that reads the pipe
        }
        write(arguments[1] + " ", String.valueOf(arguments[0]));
    }

    /** Writes a line of a fork, which names its shard itself. */
    static void write(String line) {
        write("", line);
    }

    private static void write(String shard, String line) {
        Level level = level(line);
        Logger connectors = (Logger) org.slf4j.LoggerFactory.getLogger(Connectors.NAME);
        String text = level == null ? line : line.substring(line.indexOf(' ') + 1);
        connectors.log(null, ChildLines.class.getName(), Level.toLocationAwareLoggerInteger(
                level == null ? Level.ERROR : level), "{}{}", new Object[] {shard, text}, null);
    }

    /** The level that a line of the form {@code LEVEL message} begins with, or null. */
    static Level level(String line) {
        int space = line.indexOf(' ');
        switch (space < 0 ? "" : line.substring(0, space)) {
            case "DEBUG":
                return Level.DEBUG;
            case "INFO":
                return Level.INFO;
            case "WARNING":
                return Level.WARN;
            case "ERROR":
            case "CRITICAL":
                return Level.ERROR;
            default:
                return null;
        }
    }
}
