package io.github.kclprocessor.launcher;

/**
 * Something that an operator asks for later: a shard that changed hands, a start, a stop, a gap, a refusal.
 *
 * <p>Logged as the first argument of a line, it is that line, and {@link Events} keeps it beside the KCL's state.
 */
final class Event {
    final String what;
    /** Of one shard, or null. */
    final String shard;
    /** Whose it was, or null if it was nobody's. */
    final String from;
    /** Whose it is, or null if it is nobody's. */
    final String to;
    final String why;
    private final String line;

    private Event(String what, String shard, String from, String to, String why, String line) {
        this.what = what;
        this.shard = shard;
        this.from = from;
        this.to = to;
        this.why = why;
        this.line = line;
    }

    /** Of the worker. @param line what the log says */
    static Event of(String what, String why, String line) {
        return new Event(what, null, null, null, why, line);
    }

    /** Of one shard. @param line what the log says */
    static Event of(String what, String shard, String why, String line) {
        return new Event(what, shard, null, null, why, line);
    }

    /** A shard's lease has another owner. */
    static Event moved(String shard, String from, String to, String why) {
        return new Event("moved", shard, from, to, why,
                "shard " + shard + " moved from " + named(from) + " to " + named(to) + ": " + why);
    }

    private static String named(String owner) {
        return owner == null ? "nobody" : owner;
    }

    @Override
    public String toString() {
        return line;
    }
}
