package io.github.kclprocessor.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import software.amazon.awssdk.services.dynamodb.model.StreamStatus;
import software.amazon.kinesis.leases.Lease;
import software.amazon.kinesis.leases.LeaseRefresher;
import software.amazon.kinesis.leases.exceptions.DependencyException;
import software.amazon.kinesis.retrieval.kpl.ExtendedSequenceNumber;

class UnreadWatchTest {
    @RegisterExtension
    final Heard heard = new Heard();

    private final Map<String, Lease> table = new LinkedHashMap<>();
    private final List<String> letGo = new ArrayList<>();
    private final List<String> ends = new ArrayList<>();
    private final FakeStream stream = new FakeStream();
    private final SignsOfLife signs = new SignsOfLife();
    private int failedRounds;
    private final AssignmentRounds assignments = new AssignmentRounds(() -> failedRounds);
    private boolean ending;
    private boolean broken;
    private Runnable whileAsked = () -> {};
    private final LeaseRefresher refresher = Fake.of(LeaseRefresher.class, (method, arguments) -> {
        if (broken) {
            throw new DependencyException(new RuntimeException("away"));
        }
        if (method.equals("listLeases")) {
            whileAsked.run();
            return new ArrayList<>(table.values());
        }
        return letGo.add(((Lease) arguments[0]).leaseKey());
    });
    private final UnreadWatch watch = new UnreadWatch("me", refresher, new SourceStream(stream, "arn"), signs,
            assignments, Duration.ofMinutes(2), () -> ending, () -> ends.add("crash"));

    @AfterEach
    void shutDown() {
        assignments.shutdownNow();
    }

    private Lease lease(String shard, String owner, String... parents) {
        Lease lease = new Lease();
        lease.leaseKey(shard);
        lease.leaseOwner(owner);
        lease.checkpoint(ExtendedSequenceNumber.TRIM_HORIZON);
        lease.parentShardIds(Set.of(parents));
        table.put(shard, lease);
        return lease;
    }

    private void rounds(int rounds, String... heard) {
        for (int round = 0; round < rounds; round++) {
            for (String shard : heard) {
                signs.delivered(shard);
            }
            watch.run();
        }
    }

    /** A shard of which nothing is heard is let go, and another that is read is not. */
    @Test
    void silentShardIsLetGo() {
        lease("silent", "me");
        lease("read", "me");
        rounds(UnreadWatch.ROUNDS - 1, "read");
        assertEquals(List.of(), letGo);
        rounds(1, "read");
        assertEquals(List.of("silent"), letGo);
        assertEquals(List.of(), ends);
    }

    /** Taken up again and silent still, it ends the daemon, though it was nobody's for a moment. */
    @Test
    void secondSilenceEnds() {
        lease("a", "me");
        rounds(UnreadWatch.ROUNDS);
        table.get("a").leaseOwner(null);
        rounds(1);
        table.get("a").leaseOwner("me");
        rounds(UnreadWatch.ROUNDS - 1);
        assertEquals(List.of(), ends);
        rounds(1);
        assertEquals(List.of("crash"), ends);
        assertEquals(List.of("a"), letGo);
    }

    /** Read again, or given to another worker, a shard has done with its silence. */
    @Test
    void cured() {
        lease("a", "me");
        lease("b", "me");
        rounds(UnreadWatch.ROUNDS);
        table.get("b").leaseOwner("other");
        rounds(1, "a");
        table.get("b").leaseOwner("me");
        rounds(UnreadWatch.ROUNDS);
        assertEquals(List.of("a", "b", "a", "b"), letGo);
        assertEquals(List.of(), ends);
    }

    /** A start, a failed read or a checkpoint is a sign of life, but no cure: only a delivery is. */
    @Test
    void startIsNoCure() {
        lease("a", "me");
        rounds(UnreadWatch.ROUNDS);
        signs.heard("a");
        rounds(UnreadWatch.ROUNDS);
        assertEquals(List.of(), ends);
        rounds(1);
        assertEquals(List.of("crash"), ends);
        assertEquals(List.of("a"), letGo);
    }

    /** Not due are other workers' shards, those at their end, and those that wait for a parent or their turn. */
    @Test
    void notDue() {
        lease("others", "other");
        lease("nobodys", null);
        lease("ended", "me").checkpoint(ExtendedSequenceNumber.SHARD_END);
        lease("child", "me", "others", "ended");
        lease("starting", "me");
        signs.waits("starting");
        rounds(3 * UnreadWatch.ROUNDS);
        assertEquals(List.of(), letGo);
        lease("grown", "me", "ended", "gone");
        signs.heard("starting");
        rounds(UnreadWatch.ROUNDS + 1);
        assertEquals(List.of("grown", "starting"), new ArrayList<>(new TreeSet<>(letGo)));
    }

    /** A shard that nobody is given is told of, once. */
    @Test
    void nobodysIsTold() {
        lease("ended", "me").checkpoint(ExtendedSequenceNumber.SHARD_END);
        lease("nobodys", null, "ended");
        lease("waits", null, "nobodys");
        rounds(UnreadWatch.ROUNDS - 1);
        assertEquals(List.of(), heard.words());
        rounds(2 * UnreadWatch.ROUNDS);
        assertEquals(List.of("nobodys"),
                heard.events().stream().map(event -> event.shard).collect(Collectors.toList()));
        assertEquals(List.of(), ends);
    }

    /** The leader that cannot give it to anybody ends; one that can is left to do so. */
    @Test
    void leaderThatFails() {
        lease("nobodys", null);
        lease("read", "me");
        failedRounds = 1;
        rounds(UnreadWatch.ROUNDS - 1, "read");
        assertEquals(List.of(), ends);
        rounds(1, "read");
        assertEquals(List.of("crash"), ends);
    }

    /** A round that fails once is no reason, though a shard has been nobody's for long, as a setting may have it. */
    @Test
    void leaderThatFailsForAMoment() {
        lease("nobodys", null);
        rounds(2 * UnreadWatch.ROUNDS);
        failedRounds = 1;
        rounds(UnreadWatch.ROUNDS - 1);
        failedRounds = 0;
        rounds(1);
        failedRounds = 1;
        rounds(UnreadWatch.ROUNDS - 1);
        assertEquals(List.of(), ends);
        // Another leads meanwhile, as the KCL has it where rounds fail.
        failedRounds = -1;
        rounds(UnreadWatch.ROUNDS);
        assertEquals(List.of(), ends);
        failedRounds = 1;
        rounds(1);
        assertEquals(List.of("crash"), ends);
    }

    /** One whose every shard is read goes on, for as long as it fails. */
    @Test
    void leaderThatFailsWithNothingToGive() {
        lease("read", "me");
        failedRounds = 1;
        rounds(2 * UnreadWatch.ROUNDS, "read");
        assertEquals(List.of(), ends);
    }

    /** A hand-over that does not end is one of its owner's, whatever the shard waits for. */
    @Test
    void endlessHandOver() {
        lease("parent", "other");
        lease("child", "next", "parent").checkpointOwner("me");
        lease("mine soon", "me").checkpointOwner("other");
        rounds(UnreadWatch.ROUNDS);
        assertEquals(List.of("child"), letGo);
    }

    /** Silence of the lease table or the stream is none of a shard's, nor is it of a stream that is gone. */
    @Test
    void outage() {
        lease("a", "me");
        broken = true;
        rounds(2 * UnreadWatch.ROUNDS);
        broken = false;
        stream.status = null;
        rounds(2 * UnreadWatch.ROUNDS);
        stream.status = StreamStatus.ENABLED;
        rounds(UnreadWatch.ROUNDS - 1);
        assertEquals(List.of(), letGo);
    }

    /** What is left in a stream that was turned off is read as before, or its shard is let go. */
    @Test
    void streamThatIsOff() {
        lease("a", "me");
        stream.status = StreamStatus.DISABLED;
        rounds(UnreadWatch.ROUNDS);
        assertEquals(List.of("a"), letGo);
    }

    /** A shard that is heard of while the lease table is slow to answer keeps its lease: it may write again. */
    @Test
    void heardMeanwhile() {
        lease("a", "me");
        rounds(UnreadWatch.ROUNDS - 1);
        whileAsked = () -> signs.heard("a");
        rounds(1);
        whileAsked = () -> {};
        rounds(UnreadWatch.ROUNDS);
        assertEquals(List.of(), letGo);
        rounds(1);
        assertEquals(List.of("a"), letGo);
    }

    /** What holds a proof of its lease may write in silence, and a proof lasts for a part of the failover time. */
    @Test
    void noShorterThanTheFailover() {
        Duration unread = Duration.ofMinutes(2);
        assertEquals(unread, UnreadWatch.patience(unread, Duration.ofSeconds(10), List.of()));
        assertEquals(Duration.ofMinutes(10), UnreadWatch.patience(unread, Duration.ofMinutes(10), List.of()));
    }

    /** A pause that a setting asks for is no silence: within the watch's patience there are two of them. */
    @Test
    void noShorterThanTwoPauses() {
        Duration unread = Duration.ofMinutes(2);
        Duration failover = Duration.ofSeconds(10);
        assertEquals(unread, UnreadWatch.patience(unread, failover, List.of(failover, Duration.ofMinutes(1))));
        assertEquals(Duration.ofHours(2), UnreadWatch.patience(unread, failover, List.of(Duration.ofHours(1), failover)));
    }

    /** At the end of the daemon there is nothing to let go. */
    @Test
    void end() {
        lease("a", "me");
        ending = true;
        rounds(2 * UnreadWatch.ROUNDS);
        assertEquals(List.of(), letGo);
    }

    /** An Error in a round of the assigner, after which there is no other, ends the daemon. */
    @Test
    void assignerThatDied() throws Exception {
        assignments.scheduleWithFixedDelay(() -> {
            throw new NoClassDefFoundError("what a round needs");
        }, 0, 1, TimeUnit.MILLISECONDS);
        awaitAssigner(() -> assignments.failure() != null);
        rounds(1);
        assertEquals(List.of("crash"), ends);
    }

    /** Rounds that go on are none of the watch's business; when none ends any more, the daemon does. */
    @Test
    void assignerThatHangs() throws Exception {
        rounds(2 * UnreadWatch.ROUNDS);
        assignments.scheduleWithFixedDelay(() -> {}, 0, 1, TimeUnit.HOURS);
        awaitAssigner(() -> assignments.ended() == 1);
        rounds(UnreadWatch.ROUNDS);
        assertEquals(List.of(), ends);
        rounds(1);
        assertEquals(List.of("crash"), ends);
    }

    private static void awaitAssigner(BooleanSupplier condition) {
        long deadline = System.nanoTime() + Duration.ofSeconds(20).toNanos();
        while (!condition.getAsBoolean() && System.nanoTime() < deadline) {
            Thread.onSpinWait();
        }
        assertEquals(true, condition.getAsBoolean());
    }
}
