package io.github.kclprocessor.launcher;

import java.io.IOException;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.cloudwatch.CloudWatchClient;
import software.amazon.awssdk.services.cloudwatch.model.AlarmType;
import software.amazon.awssdk.services.cloudwatch.model.CompositeAlarm;
import software.amazon.awssdk.services.cloudwatch.model.DescribeAlarmsResponse;
import software.amazon.awssdk.services.cloudwatch.model.MetricAlarm;
import software.amazon.awssdk.services.cloudwatch.model.StateValue;

/** A CloudWatch alarm that says to slow down while it is in state ALARM. */
final class ThrottleAlarm implements Throttle.Look {
    private static final String IN_ARN = ":alarm:";

    private final CloudWatchClient client;
    private final String alarm;
    private final Region region;

    /** @param alarm its name or its ARN */
    ThrottleAlarm(CloudWatchClient client, String alarm, Region region) {
        this.client = client;
        this.alarm = alarm;
        this.region = region;
    }

    @Override
    public boolean holds() throws IOException {
        DescribeAlarmsResponse found = client.describeAlarms(ask -> ask.alarmNames(name())
                // Without both it tells of metric alarms alone.
                .alarmTypes(AlarmType.METRIC_ALARM, AlarmType.COMPOSITE_ALARM));
        List<StateValue> states = Stream.concat(
                        found.metricAlarms().stream().filter(one -> isMeant(one.alarmArn())).map(MetricAlarm::stateValue),
                        found.compositeAlarms().stream().filter(one -> isMeant(one.alarmArn()))
                                .map(CompositeAlarm::stateValue))
                .collect(Collectors.toList());
        if (states.isEmpty()) {
            throw new IOException("there is none of that name for these credentials");
        }
        return states.contains(StateValue.ALARM);
    }

    private boolean isArn() {
        return alarm.startsWith("arn:");
    }

    private String name() {
        return isArn() ? alarm.substring(alarm.indexOf(IN_ARN) + IN_ARN.length()) : alarm;
    }

    /** Of another account's ARN, one of the same name here is not the one. */
    private boolean isMeant(String arn) {
        return !isArn() || alarm.equals(arn);
    }

    @Override
    public String toString() {
        return "the alarm " + name() + " in " + region;
    }
}
