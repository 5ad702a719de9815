package io.github.kclprocessor.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.Properties;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.cloudwatch.CloudWatchClient;
import software.amazon.awssdk.services.cloudwatch.model.AlarmType;
import software.amazon.awssdk.services.cloudwatch.model.CompositeAlarm;
import software.amazon.awssdk.services.cloudwatch.model.DescribeAlarmsRequest;
import software.amazon.awssdk.services.cloudwatch.model.DescribeAlarmsResponse;
import software.amazon.awssdk.services.cloudwatch.model.MetricAlarm;
import software.amazon.awssdk.services.cloudwatch.model.StateValue;

class ThrottleAlarmTest {
    private static final String NAME = "replica: hot";
    private static final String ARN = "arn:aws:cloudwatch:eu-west-1:1:alarm:" + NAME;

    private DescribeAlarmsRequest asked;
    private DescribeAlarmsResponse found = DescribeAlarmsResponse.builder().build();
    private Region region;

    private Throttle.Look look(String alarm, String... more) {
        Properties properties = new Properties();
        properties.setProperty("replica.throttle.alarm", alarm);
        properties.setProperty("replica.destination.region", "us-west-2");
        for (int at = 0; at < more.length; at += 2) {
            properties.setProperty(more[at], more[at + 1]);
        }
        return new ReplicaProperties(properties).throttle(this::client).get();
    }

    private CloudWatchClient client(Region where) {
        region = where;
        return new CloudWatchClient() {
            @Override
            public DescribeAlarmsResponse describeAlarms(DescribeAlarmsRequest request) {
                asked = request;
                return found;
            }

            @Override
            public String serviceName() {
                return "cloudwatch";
            }

            @Override
            public void close() {}
        };
    }

    private void metric(StateValue state) {
        found = DescribeAlarmsResponse.builder()
                .metricAlarms(MetricAlarm.builder().alarmName(NAME).alarmArn(ARN).stateValue(state).build()).build();
    }

    /** It holds in ALARM alone, by its name or its ARN. */
    @Test
    void states() throws Exception {
        for (String alarm : List.of(NAME, ARN)) {
            Throttle.Look look = look(alarm);
            metric(StateValue.ALARM);
            assertTrue(look.holds());
            metric(StateValue.OK);
            assertFalse(look.holds());
            metric(StateValue.INSUFFICIENT_DATA);
            assertFalse(look.holds());
            assertEquals(List.of(NAME), asked.alarmNames());
        }
    }

    /** One that is made of others counts as any; the service tells of it where it is asked to. */
    @Test
    void composite() throws Exception {
        found = DescribeAlarmsResponse.builder().compositeAlarms(
                CompositeAlarm.builder().alarmName(NAME).alarmArn(ARN).stateValue(StateValue.ALARM).build()).build();
        assertTrue(look(ARN).holds());
        assertEquals(List.of(AlarmType.METRIC_ALARM, AlarmType.COMPOSITE_ALARM), asked.alarmTypes());
    }

    /** One that is not there is a look that failed, as is one of another account that has its name. */
    @Test
    void notThere() {
        assertThrows(IOException.class, look(NAME)::holds);
        metric(StateValue.ALARM);
        assertThrows(IOException.class, look(ARN.replace(":1:", ":2:"))::holds);
    }

    /** Where the file says, or beside the destination. */
    @Test
    void regions() {
        assertEquals("the alarm " + NAME + " in us-west-2", look(NAME).toString());
        look(ARN, "replica.throttle.region", "eu-west-1");
        assertEquals(Region.EU_WEST_1, region);
    }

    /** A command needs no client, and a file without a word of either throttles nothing. */
    @Test
    void others() {
        Properties properties = new Properties();
        assertEquals(Optional.empty(), new ReplicaProperties(properties).throttle(this::client));
        properties.setProperty("replica.throttle.command", "test -e hold");
        assertTrue(new ReplicaProperties(properties).throttle(this::client).get() instanceof ThrottleCommand);
        assertEquals(null, region);
    }
}
