package io.github.kclprocessor.launcher;

import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.filter.Filter;
import ch.qos.logback.core.spi.FilterReply;
import java.util.ArrayList;
import java.util.List;

/** Drops single lines, named in logback.xml by how they begin, of loggers that are needed otherwise. */
public final class KnownNoise extends Filter<ILoggingEvent> {
    private final List<String> beginnings = new ArrayList<>();

    /** Called by logback for each {@code <beginning>}. */
    public void addBeginning(String beginning) {
        beginnings.add(beginning);
    }

    @Override
    public FilterReply decide(ILoggingEvent event) {
        String message = event.getMessage();
        return message != null && beginnings.stream().anyMatch(message::startsWith)
                ? FilterReply.DENY
                : FilterReply.NEUTRAL;
    }
}
