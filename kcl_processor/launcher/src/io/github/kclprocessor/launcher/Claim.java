package io.github.kclprocessor.launcher;

import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;
import software.amazon.awssdk.services.dynamodb.model.TableDescription;

/**
 * Whose checkpoints a checkpoint table holds, as {@code launch/identity.py} writes it down: those of one
 * stream and one destination table, from its creation on.
 *
 * <p>{@code kcl-processor run} has settled all this before it becomes the daemon. A daemon that was started
 * otherwise goes on with what is claimed for it, or claims what is nobody's; the rest is for {@code run}.
 */
final class Claim {
    static final String KEY = "KclProcessorReplica";
    private static final String STREAM = "stream";
    private static final String DESTINATION = "destination";
    private static final String INCARNATION = "destinationIncarnation";
    private static final String RULES = "rules";
    /** As Python's {@code isoformat} writes it. */
    private static final DateTimeFormatter CREATED = DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSSxxx");
    /** A creation is read as a fraction of a second, and rounded in two languages. */
    private static final Duration ROUNDING = Duration.ofMillis(1);

    private final String task;
    private final String stream;
    private final TableDescription destination;
    private final String rules;

    /** @param rules the digest of the rules that items are laid by; empty for none */
    Claim(String task, String stream, TableDescription destination, String rules) {
        this.task = task;
        this.stream = stream;
        this.destination = destination;
        this.rules = rules;
    }

    /**
     * Makes sure that the checkpoints are this replica's, and that it has two tables.
     *
     * @param leases the keys of the leases that there are
     * @param shards lists those that the stream has, which is asked only of checkpoints that nobody claimed
     * @throws Refused if they are another's, or of another time, or the destination is the source
     */
    void make(OwnRows rows, Collection<String> leases, Supplier<Set<String>> shards) {
        refuseSource();
        Optional<Map<String, AttributeValue>> claimed = rows.read(KEY);
        while (!claimed.isPresent()) {
            refuseStrangers(leases, shards);
            if (rows.create(KEY, row())) {
                return;
            }
            claimed = rows.read(KEY);
        }
        refuse(claimed.get());
    }

    /** Two ways may end at one table. Its ARN does not tell: DynamoDB Local has one for each name. */
    private void refuseSource() {
        if (stream.equals(destination.latestStreamArn())) {
            throw new Refused(ExitStatus.CONFIG, "The destination of task " + task
                    + " is the source table itself: " + incarnation() + ".",
                    "change the destination's table, region, endpoint or role");
        }
    }

    private void refuse(Map<String, AttributeValue> claimed) {
        String read = claimed.get(STREAM).s();
        String written = claimed.get(DESTINATION).s();
        if (!table(read).equals(table(stream)) || !written.equals(destination.tableArn())) {
            throw new Refused(ExitStatus.CONFIG, "The checkpoints of task " + task + " belong to the replica " + read
                    + " to " + written + ", and this daemon's is " + stream + " to " + destination.tableArn() + ".",
                    "kcl-processor run, which says how to go on");
        }
        if (!read.equals(stream)) {
            throw new Refused(ExitStatus.GAP, "The checkpoints of task " + task + " are of the stream " + read
                    + ", and this daemon is to read " + stream + ".",
                    "kcl-processor run, which reads what is left of the older one first; or kcl-processor render");
        }
        AttributeValue incarnation = claimed.get(INCARNATION);
        if (incarnation != null) {
            refuseMadeAnew(incarnation.s());
        }
        AttributeValue before = claimed.get(RULES);
        if (!rules.equals(before == null ? "" : before.s())) {
            throw new Refused(ExitStatus.CONFIG, "The rules of task " + task
                    + " are others than those by which its items were laid.",
                    "kcl-processor run, which says how to go on");
        }
    }

    /**
     * Makes sure that the destination is the table that it was.
     *
     * @throws Refused if it is another one of its name
     */
    void refuseMadeAnew(String incarnation) {
        if (!isSame(incarnation.split(" "))) {
            throw new Refused(ExitStatus.CONFIG, "The destination table of task " + task
                    + " was made anew since its checkpoints were begun: it is " + incarnation()
                    + ", and was " + incarnation + ". What they say is done is not.",
                    "kcl-processor copy --restart " + task);
        }
    }

    /**
     * Makes sure that the checkpoints are this replica's still. Another stream of its source is no other
     * replica: its fleet is on its way there.
     *
     * @throws Refused if {@code run --adopt} took them over, for other tables or by other rules
     */
    void refuseTaken(Map<String, AttributeValue> claimed) {
        AttributeValue by = claimed.get(RULES);
        if (!table(claimed.get(STREAM).s()).equals(table(stream))
                || !claimed.get(DESTINATION).s().equals(destination.tableArn())
                || !rules.equals(by == null ? "" : by.s())) {
            throw new Refused(ExitStatus.CONFIG, "The checkpoints of task " + task + " were taken over by "
                    + "`run --adopt`, for another replica or by other rules than this daemon's.",
                    "kcl-processor run, which says how to go on");
        }
    }

    /** Leases without a claim (the original library makes none) are told by their shards. */
    private void refuseStrangers(Collection<String> leases, Supplier<Set<String>> shards) {
        if (!leases.isEmpty() && Collections.disjoint(leases, shards.get())) {
            throw new Refused(ExitStatus.CONFIG, "The checkpoint table of task " + task + " holds " + leases.size()
                    + " leases, and none is of a shard of " + stream + ".",
                    "kcl-processor run, which says how to go on");
        }
    }

    /** An id is unique by itself; without one a table is told by its creation. */
    private boolean isSame(String[] incarnation) {
        if (incarnation.length > 2 && destination.tableId() != null) {
            return incarnation[2].equals(destination.tableId());
        }
        Instant created = OffsetDateTime.parse(incarnation[1]).toInstant();
        return Duration.between(created, destination.creationDateTime()).abs().compareTo(ROUNDING) <= 0;
    }

    private Map<String, AttributeValue> row() {
        Map<String, AttributeValue> row = new HashMap<>(Map.of(
                "sourceTable", AttributeValue.fromS(table(stream)),
                STREAM, AttributeValue.fromS(stream),
                DESTINATION, AttributeValue.fromS(destination.tableArn()),
                INCARNATION, AttributeValue.fromS(incarnation())));
        if (!rules.isEmpty()) {
            row.put(RULES, AttributeValue.fromS(rules));
        }
        return row;
    }

    /** The destination's ARN, creation and, where the service gives one, id. */
    String incarnation() {
        String created = CREATED.format(destination.creationDateTime().atOffset(ZoneOffset.UTC));
        String id = destination.tableId() == null ? "" : " " + destination.tableId();
        return destination.tableArn() + " " + created + id;
    }

    private static String table(String stream) {
        return stream.split("/stream/")[0];
    }
}
