package io.github.kclprocessor.launcher;

import software.amazon.awssdk.regions.Region;

/**
 * A stream's ARN as its service knows it, and the form of it that the adapter accepts.
 *
 * <p>The adapter refuses a region that its SDK does not list, such as {@code ddblocal} of DynamoDB
 * Local; a known region stands in for it between the adapter and {@link ArnInterceptor}.
 */
final class StreamArn {
    private static final int REGION = 3;
    private static final Region STAND_IN = Region.US_EAST_1;

    final String real;

    StreamArn(String real) {
        if (real.split(":", REGION + 2).length < REGION + 2) {
            throw new IllegalArgumentException("streamName is not the ARN of a stream: " + real);
        }
        this.real = real;
    }

    boolean isKnownToAdapter() {
        return Region.regions().contains(Region.of(part(real, REGION)));
    }

    Region region() {
        return Region.of(part(forAdapter(), REGION));
    }

    String forAdapter() {
        if (isKnownToAdapter()) {
            return real;
        }
        String[] parts = real.split(":", REGION + 2);
        parts[1] = "aws";
        parts[REGION] = STAND_IN.id();
        return String.join(":", parts);
    }

    private static String part(String arn, int index) {
        return arn.split(":")[index];
    }
}
