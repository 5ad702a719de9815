package io.github.kclprocessor.launcher;

import ch.qos.logback.core.rolling.FixedWindowRollingPolicy;

/** A fixed window of a hundred files, where logback's own would silently keep twenty. */
public final class HundredFiles extends FixedWindowRollingPolicy {
    @Override
    protected int getMaxWindowSize() {
        return 100;
    }
}
