package io.github.kclprocessor.launcher;

import java.time.Instant;
import java.util.List;
import java.util.stream.Collectors;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.services.dynamodb.model.Shard;
import software.amazon.kinesis.leases.Lease;
import software.amazon.kinesis.leases.LeaseRefresher;
import software.amazon.kinesis.leases.exceptions.LeasingException;

/**
 * The look at whose checkpoints there are, and whether the copy before them is whole, however the daemon
 * was started: {@code kcl-processor run} has looked already, the bootstrap script has not.
 */
final class Ownership {
    private Ownership() {}

    /**
     * Looks before the scheduler runs.
     *
     * @param base the credentials from which the destination's come
     * @return whether a daemon was started before: there are leases
     * @throws Refused if this daemon must not start
     */
    static boolean look(OwnRows rows, LeaseRefresher table, ReplicaProperties replica, SourceStream stream,
            AwsCredentialsProvider base) throws LeasingException {
        List<String> leases = leases(table);
        if (replica.destinationTable().isPresent()) {
            Claim claim = new Claim(replica.task(), replica.streamArn().real,
                    Clients.destination(replica, replica.destinationTable().get(), base));
            claim.make(rows, leases,
                    () -> stream.shards().stream().map(Shard::shardId).collect(Collectors.toSet()));
        }
        CopyMark.refuse(rows, replica.task(), !leases.isEmpty(), Instant.now());
        return !leases.isEmpty();
    }

    private static List<String> leases(LeaseRefresher table) throws LeasingException {
        return table.leaseTableExists()
                ? table.listLeases().stream().map(Lease::leaseKey).collect(Collectors.toList())
                : List.of();
    }
}
