package software.amazon.kinesis.multilang;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.concurrent.ExecutorService;
import software.amazon.kinesis.lifecycle.events.InitializationInput;
import software.amazon.kinesis.multilang.config.MultiLangDaemonConfiguration;

/**
 * One shard's MultiLang processor whose process is forked instead of started.
 *
 * <p>It lives in this package because {@code startProcess} and the constructor are package-private.
 */
public final class ForkedShardProcessor extends MultiLangShardRecordProcessor {
    /** Where a shard's process comes from. */
    public interface Forks {
        /** The process, whose standard streams speak the MultiLang protocol. */
        Process fork(String shardId) throws IOException;
    }

    private static final ObjectMapper MAPPER = new ObjectMapper();

    private final Forks forks;
    private String shardId;

    public ForkedShardProcessor(Forks forks, ExecutorService executor, MultiLangDaemonConfiguration configuration) {
        super(new ProcessBuilder(), executor, MAPPER, configuration);
        this.forks = forks;
    }

    @Override
    public void initialize(InitializationInput input) {
        shardId = input.shardId();
        super.initialize(input);
    }

    @Override
    Process startProcess() throws IOException {
        return forks.fork(shardId);
    }
}
