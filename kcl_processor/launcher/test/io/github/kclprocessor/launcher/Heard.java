package io.github.kclprocessor.launcher;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** What a log is told while a test runs. */
final class Heard implements BeforeEachCallback, AfterEachCallback {
    private final Logger log;
    private final ListAppender<ILoggingEvent> appender = new ListAppender<>();
    final List<ILoggingEvent> lines = appender.list;

    /** Of the connectors log. */
    Heard() {
        this(Connectors.LOG);
    }

    Heard(org.slf4j.Logger log) {
        this.log = (Logger) log;
    }

    @Override
    public void beforeEach(ExtensionContext test) {
        appender.start();
        log.addAppender(appender);
    }

    @Override
    public void afterEach(ExtensionContext test) {
        log.detachAppender(appender);
    }

    List<String> words() {
        return lines.stream().map(ILoggingEvent::getFormattedMessage).collect(Collectors.toList());
    }

    /** The lines, each of which is an event. */
    List<Event> events() {
        return lines.stream().map(line -> (Event) line.getArgumentArray()[0]).collect(Collectors.toList());
    }
}
