package io.github.kclprocessor.launcher;

import java.io.IOException;
import java.io.Reader;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.Properties;
import java.util.function.Function;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.cloudwatch.CloudWatchClient;

/**
 * The launcher's own keys in the daemon's properties file; all but {@code streamName} and
 * {@code regionName} begin with {@code replica.}, which the KCL skips.
 */
final class ReplicaProperties {
    private static final String STOP = "stop";
    private static final String CONTINUE = "continue";

    private final Properties properties;

    ReplicaProperties(Properties properties) {
        this.properties = properties;
    }

    static ReplicaProperties read(Path file) throws IOException {
        Properties properties = new Properties();
        // ISO 8859-1 is what Properties.load(InputStream), and so the KCL, reads.
        try (Reader reader = Files.newBufferedReader(file, StandardCharsets.ISO_8859_1)) {
            properties.load(reader);
        }
        return new ReplicaProperties(properties);
    }

    /** What an operator calls this replica; a properties file written by hand may not say. */
    String task() {
        return text("replica.task").orElse("TASK");
    }

    StreamArn streamArn() {
        return new StreamArn(text("streamName")
                .orElseThrow(() -> new IllegalArgumentException("streamName, the stream's ARN, is not set")));
    }

    /** Region of the lease table. */
    Optional<String> region() {
        return text("regionName");
    }

    /** As a region, by default the source's. */
    Region kclRegion() {
        return region().map(Region::of).orElseGet(this::sourceRegion);
    }

    /** Region of the source, by default the one in the stream's ARN. */
    Region sourceRegion() {
        return text("replica.source.region").map(Region::of).orElseGet(() -> streamArn().region());
    }

    Optional<URI> streamsEndpoint() {
        return text("replica.source.streamsEndpoint").map(URI::create);
    }

    /**
     * Whose credentials a section's calls are signed with.
     *
     * @param section {@code source}, {@code destination}, {@code kcl} or {@code metrics}
     */
    Access access(String section) {
        return Access.read(section, this::text);
    }

    /** The destination's table; a properties file written by hand may not say. */
    Optional<String> destinationTable() {
        return text("replica.destination.table");
    }

    /** Region of the destination, by default the source's. */
    Region destinationRegion() {
        return text("replica.destination.region").map(Region::of).orElseGet(this::sourceRegion);
    }

    Optional<URI> destinationEndpoint() {
        return text("replica.destination.endpoint").map(URI::create);
    }

    /** The digest of the rules that items are laid by; empty for none. */
    String rules() {
        return text("replica.rulesDigest").orElse("");
    }

    /** Whether the rules need the item as it was before a change. */
    boolean oldImages() {
        return text("replica.oldImages").map(Boolean::parseBoolean).orElse(false);
    }

    boolean publishMetrics() {
        return text("replica.metrics.publish").map(Boolean::parseBoolean).orElse(true);
    }

    Optional<URI> metricsEndpoint() {
        return text("replica.metrics.endpoint").map(URI::create);
    }

    Optional<Region> metricsRegion() {
        return text("replica.metrics.region").map(Region::of);
    }

    /**
     * What throttles the daemon, if the file names something.
     *
     * @param clients makes one that sees a region's alarms
     */
    Optional<Throttle.Look> throttle(Function<Region, CloudWatchClient> clients) {
        return text("replica.throttle.command").<Throttle.Look>map(ThrottleCommand::new)
                .or(() -> text("replica.throttle.alarm").map(alarm -> {
                    Region region =
                            text("replica.throttle.region").map(Region::of).orElseGet(this::destinationRegion);
                    return new ThrottleAlarm(clients.apply(region), alarm, region);
                }));
    }

    /** The program that is forked for each shard; without one, {@code executableName} is started. */
    Optional<String> forkServer() {
        return text("replica.forkServer");
    }

    Duration shutdownGrace() {
        return Duration.ofMillis(number("shutdownGraceMillis", 30_000));
    }

    /** How long a shard of this worker's may go without a delivery. */
    Duration unread() {
        return Duration.ofSeconds(number("replica.unreadSeconds", 120));
    }

    /** Whether to go on behind changes that left the stream unread; by default the daemon stops. */
    boolean continueOnGap() {
        String word = text("replica.onGap").orElse(STOP);
        if (!word.equals(STOP) && !word.equals(CONTINUE)) {
            throw new IllegalArgumentException("replica.onGap is neither stop nor continue: " + word);
        }
        return word.equals(CONTINUE);
    }

    /** The worker's lock on this host; a properties file written by hand may not name one. */
    Optional<Path> lock() {
        return text("replica.lock").map(Path::of);
    }

    Optional<Path> gapFile() {
        return text("replica.gapFile").map(Path::of);
    }

    /** Where a worker's end is noted. */
    Optional<Path> endingFile() {
        return text("replica.endingFile").map(Path::of);
    }

    private long number(String key, long otherwise) {
        try {
            return text(key).map(Long::parseLong).orElse(otherwise);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(key + " is not a whole number: " + properties.getProperty(key), e);
        }
    }

    private Optional<String> text(String key) {
        return Optional.ofNullable(properties.getProperty(key)).map(String::trim).filter(value -> !value.isEmpty());
    }
}
