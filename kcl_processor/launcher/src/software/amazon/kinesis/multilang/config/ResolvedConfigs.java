package software.amazon.kinesis.multilang.config;

import software.amazon.kinesis.checkpoint.CheckpointConfig;
import software.amazon.kinesis.coordinator.CoordinatorConfig;
import software.amazon.kinesis.leases.LeaseManagementConfig;
import software.amazon.kinesis.lifecycle.LifecycleConfig;
import software.amazon.kinesis.metrics.MetricsConfig;
import software.amazon.kinesis.multilang.config.MultiLangDaemonConfiguration.ResolvedConfiguration;
import software.amazon.kinesis.processor.ProcessorConfig;
import software.amazon.kinesis.processor.ShardRecordProcessorFactory;
import software.amazon.kinesis.retrieval.RetrievalConfig;

/**
 * Hands out the config objects that a properties file resolves to.
 *
 * <p>It lives in this package because {@code resolvedConfiguration} is package-private.
 */
public final class ResolvedConfigs {
    public final CheckpointConfig checkpoint;
    public final CoordinatorConfig coordinator;
    public final LeaseManagementConfig leases;
    public final LifecycleConfig lifecycle;
    public final MetricsConfig metrics;
    public final ProcessorConfig processor;
    public final RetrievalConfig retrieval;

    public ResolvedConfigs(MultiLangDaemonConfiguration properties, ShardRecordProcessorFactory factory) {
        ResolvedConfiguration resolved = properties.resolvedConfiguration(factory);
        checkpoint = resolved.checkpointConfig;
        coordinator = resolved.coordinatorConfig;
        leases = resolved.leaseManagementConfig;
        lifecycle = resolved.lifecycleConfig;
        metrics = resolved.metricsConfig;
        processor = resolved.processorConfig;
        retrieval = resolved.retrievalConfig;
    }
}
