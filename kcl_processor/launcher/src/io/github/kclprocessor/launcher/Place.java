package io.github.kclprocessor.launcher;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.UUID;

/**
 * Where a daemon runs: a file on a host from its boot on. Who holds the lock on that file knows that a daemon
 * of the same place is dead. A copied machine has the file, and another boot.
 */
final class Place {
    private static final Path BOOT = Path.of("/proc/sys/kernel/random/boot_id");
    private static final Path HOST = Path.of("/proc/sys/kernel/hostname");

    final String host;
    private final String name;

    private Place(String name) throws IOException {
        this.name = name;
        this.host = Files.readString(HOST, StandardCharsets.US_ASCII).trim();
    }

    /** The place of a lock that this process holds. */
    static Place of(Path lock) throws IOException {
        return new Place(Files.readString(BOOT, StandardCharsets.US_ASCII).trim() + " "
                + Files.getAttribute(lock, "unix:dev") + ":" + Files.getAttribute(lock, "unix:ino"));
    }

    /** A place like no other, of a daemon without a lock. */
    static Place unknown() throws IOException {
        return new Place(UUID.randomUUID().toString());
    }

    boolean isOf(String other) {
        return name.equals(other);
    }

    @Override
    public String toString() {
        return name;
    }
}
