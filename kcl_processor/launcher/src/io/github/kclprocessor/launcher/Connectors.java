package io.github.kclprocessor.launcher;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The log that an operator reads: the record processors' lines and the launcher's own events. */
final class Connectors {
    static final String NAME = "connectors";
    static final Logger LOG = LoggerFactory.getLogger(NAME);

    private Connectors() {}
}
