package io.github.kclprocessor.launcher;

import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.kinesis.multilang.MultiLangDaemonConfig;
import software.amazon.kinesis.multilang.config.MultiLangDaemonConfiguration;
import software.amazon.kinesis.multilang.config.ResolvedConfigs;

/**
 * Asks as the daemon does, once with the KCL's client and once with the launcher's, for the tests of who
 * obeys which AWS setting: they look at what reaches the servers that they made for it.
 */
public final class Ask {
    private Ask() {}

    public static void main(String[] args) throws Exception {
        ReplicaProperties replica = ReplicaProperties.read(Path.of(args[0]));
        AwsSettings.apply(System.getenv(), System.getProperties(), replica);
        MultiLangDaemonConfiguration kcl = new MultiLangDaemonConfig(args[0]).getMultiLangDaemonConfiguration();
        AwsCredentialsProvider credentials = kcl.getKinesisCredentialsProvider().build(AwsCredentialsProvider.class);
        AwsCredentialsProvider source = replica.access("source").credentials(replica.sourceRegion(), credentials);
        Clients.kcl(replica, kcl, credentials);
        ExecutorService both = Executors.newFixedThreadPool(2);
        both.invokeAll(
                List.of(
                        () -> told(() -> new ResolvedConfigs(kcl, () -> null)
                                .leases.dynamoDBClient().describeTable(table -> table.tableName("t")).get()),
                        () -> told(() -> Clients.streams(replica, source)
                                .describeStream(stream -> stream.streamArn(replica.streamArn().forAdapter())))),
                Long.parseLong(args[1]),
                TimeUnit.SECONDS);
        System.exit(0);
    }

    private interface Call {
        Object make() throws Exception;
    }

    private static Void told(Call call) {
        try {
            System.out.println(call.make());
        } catch (Exception e) {
            System.out.println(e);
        }
        return null;
    }
}
