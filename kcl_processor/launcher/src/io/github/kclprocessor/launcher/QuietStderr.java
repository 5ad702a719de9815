package io.github.kclprocessor.launcher;

import java.io.PrintStream;

/**
 * A stderr without the KCL's echo of the record processors' lines, which are in the connectors log.
 */
final class QuietStderr extends PrintStream {
    private static final String ECHO = "software.amazon.kinesis.multilang.DrainChildSTDERRTask";
    private final StackWalker callers = StackWalker.getInstance(StackWalker.Option.RETAIN_CLASS_REFERENCE);

    QuietStderr(PrintStream stderr) {
        super(stderr, true);
    }

    @Override
    public void println(String line) {
        if (!callers.getCallerClass().getName().equals(ECHO)) {
            super.println(line);
        }
    }
}
