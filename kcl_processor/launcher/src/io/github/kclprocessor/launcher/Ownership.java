package io.github.kclprocessor.launcher;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import software.amazon.awssdk.services.dynamodb.model.Shard;
import software.amazon.kinesis.leases.Lease;
import software.amazon.kinesis.leases.LeaseRefresher;
import software.amazon.kinesis.leases.exceptions.LeasingException;

/**
 * The look at whose checkpoints there are, whether the copy before them is whole, and whether the writers have
 * moved to the destination, however the daemon was started: {@code kcl-processor run} has looked already, the
 * bootstrap script has not.
 */
final class Ownership {
    private Ownership() {}

    /**
     * Looks before the scheduler runs.
     *
     * @param claim whose they are to be, if the destination is known
     * @return whether a daemon was started before: there are leases
     * @throws Refused if this daemon must not start
     */
    static boolean look(OwnRows rows, LeaseRefresher table, String task, SourceStream stream,
            Optional<Claim> claim) throws LeasingException {
        List<String> leases = leases(table);
        claim.ifPresent(ours -> ours.make(rows, leases,
                () -> stream.shards().stream().map(Shard::shardId).collect(Collectors.toSet())));
        CopyMark.refuse(rows, task, !leases.isEmpty(), Instant.now());
        SwitchMark.refuse(rows, task);
        return !leases.isEmpty();
    }

    private static List<String> leases(LeaseRefresher table) throws LeasingException {
        return table.leaseTableExists()
                ? table.listLeases().stream().map(Lease::leaseKey).collect(Collectors.toList())
                : List.of();
    }
}
