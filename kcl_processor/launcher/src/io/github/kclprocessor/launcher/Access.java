package io.github.kclprocessor.launcher;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.sts.StsClient;
import software.amazon.awssdk.services.sts.auth.StsAssumeRoleCredentialsProvider;
import software.amazon.awssdk.services.sts.model.AssumeRoleRequest;

/**
 * Whose credentials the calls of one section of the file are signed with: a profile in the place of the
 * default chain, and roles that are assumed one after another. The product's tools and record processors
 * read the same properties (config/access.py).
 */
final class Access {
    private static final String SESSION_NAME = "kcl-processor";

    private final Optional<String> profile;
    private final List<Role> roles;
    private final String sessionName;

    private Access(Optional<String> profile, List<Role> roles, String sessionName) {
        this.profile = profile;
        this.roles = roles;
        this.sessionName = sessionName;
    }

    /**
     * @param section as in {@code source}
     * @param text gives a property that is set
     */
    static Access read(String section, Function<String, Optional<String>> text) {
        String prefix = "replica." + section + ".";
        List<Role> roles = new ArrayList<>();
        for (String suffix = ""; ; suffix = "." + (roles.size() + 1)) {
            Optional<String> arn = text.apply(prefix + "roleArn" + suffix);
            if (arn.isEmpty()) {
                break;
            }
            roles.add(new Role(arn.get(), text.apply(prefix + "externalId" + suffix)));
        }
        return new Access(text.apply(prefix + "profile"), List.copyOf(roles),
                text.apply(prefix + "sessionName").orElse(SESSION_NAME));
    }

    /** Whether the file says nothing, so that the default credentials are meant. */
    boolean isDefault() {
        return profile.isEmpty() && roles.isEmpty();
    }

    /**
     * The credentials, which follow their source, link by link.
     *
     * @param region where STS is asked
     * @param defaults what stands for the default chain
     */
    AwsCredentialsProvider credentials(Region region, AwsCredentialsProvider defaults) {
        AwsCredentialsProvider found = profile
                .<AwsCredentialsProvider>map(name -> FollowedCredentials.ofProfile(name, region))
                .orElse(defaults);
        for (Role role : roles) {
            found = assumed(role, region, found);
        }
        return found;
    }

    private AwsCredentialsProvider assumed(Role role, Region region, AwsCredentialsProvider base) {
        AssumeRoleRequest.Builder request = AssumeRoleRequest.builder()
                .roleArn(role.arn)
                .roleSessionName(sessionName);
        role.externalId.ifPresent(request::externalId);
        StsClient sts = StsClient.builder().region(region).credentialsProvider(base).build();
        return FollowedCredentials.of(() -> StsAssumeRoleCredentialsProvider.builder()
                .stsClient(sts)
                .refreshRequest(request.build())
                .asyncCredentialUpdateEnabled(true)
                .build());
    }

    private static final class Role {
        final String arn;
        final Optional<String> externalId;

        Role(String arn, Optional<String> externalId) {
            this.arn = arn;
            this.externalId = externalId;
        }
    }
}
