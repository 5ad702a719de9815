package io.github.kclprocessor.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Properties;
import org.junit.jupiter.api.Test;

class ReplicaPropertiesTest {
    private static ReplicaProperties given(String key, String value) {
        Properties properties = new Properties();
        properties.setProperty(key, value);
        return new ReplicaProperties(properties);
    }

    /** A gap stops the daemon unless the file says to go on, in the words of the YAML. */
    @Test
    void onGap() {
        assertFalse(new ReplicaProperties(new Properties()).continueOnGap());
        assertFalse(given("replica.onGap", "stop").continueOnGap());
        assertTrue(given("replica.onGap", "continue").continueOnGap());
    }

    /** Another word is refused with its key: taken for a stop, it would hide a typing error. */
    @Test
    void anotherWordOnGap() {
        for (String word : new String[] {"fail", "Continue", "true"}) {
            assertEquals("replica.onGap is neither stop nor continue: " + word,
                    assertThrows(IllegalArgumentException.class, given("replica.onGap", word)::continueOnGap)
                            .getMessage());
        }
    }

    /** A file from before this property has its default. */
    @Test
    void unread() {
        assertEquals(120, new ReplicaProperties(new Properties()).unread().toSeconds());
        assertEquals(30, given("replica.unreadSeconds", "30").unread().toSeconds());
    }

    /** A value that is no number is refused with its key. */
    @Test
    void badNumber() {
        assertEquals("shutdownGraceMillis is not a whole number: soon",
                assertThrows(IllegalArgumentException.class, given("shutdownGraceMillis", "soon")::shutdownGrace)
                        .getMessage());
    }
}
