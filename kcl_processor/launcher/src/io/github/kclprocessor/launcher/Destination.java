package io.github.kclprocessor.launcher;

import java.util.Optional;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.dynamodb.model.ResourceNotFoundException;
import software.amazon.awssdk.services.dynamodb.model.TableDescription;

/** The destination's table, of which the launcher asks what it is; record processors write to it. */
final class Destination {
    private final DynamoDbClient client;
    private final Region region;
    private final String table;

    Destination(DynamoDbClient client, Region region, String table) {
        this.client = client;
        this.region = region;
        this.table = table;
    }

    /**
     * The one that a daemon's properties name, if they do.
     *
     * @param defaults credentials where they name none for it
     */
    static Optional<Destination> of(ReplicaProperties replica, AwsCredentialsProvider defaults) {
        Region region = replica.destinationRegion();
        AwsCredentialsProvider credentials = replica.access("destination").credentials(region, defaults);
        return replica.destinationTable()
                .map(table -> new Destination(Clients.destination(replica, region, credentials), region, table));
    }

    /** @throws Refused if there is none */
    TableDescription describe() {
        try {
            return client.describeTable(ask -> ask.tableName(table)).table();
        } catch (ResourceNotFoundException e) {
            throw new Refused(ExitStatus.DESTINATION, "There is no destination table " + table + " in " + region + ".",
                    "kcl-processor prepare creates it like the source");
        }
    }
}
