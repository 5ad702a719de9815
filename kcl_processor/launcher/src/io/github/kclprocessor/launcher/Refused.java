package io.github.kclprocessor.launcher;

/** A start that is refused, in words for a person: what is wrong, and what to type next. */
final class Refused extends RuntimeException {
    private static final long serialVersionUID = 1;

    final int exitCode;

    Refused(int exitCode, String message, String hint) {
        super(message + " Try: " + hint);
        this.exitCode = exitCode;
    }
}
