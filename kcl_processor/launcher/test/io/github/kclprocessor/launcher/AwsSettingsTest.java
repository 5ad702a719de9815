package io.github.kclprocessor.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import org.junit.jupiter.api.Test;

class AwsSettingsTest {
    private final Properties system = new Properties();

    /** The SDK knows AWS_PROFILE alone; for botocore the other one comes first. */
    @Test
    void theDefaultProfile() {
        AwsSettings.profile(Map.of("AWS_DEFAULT_PROFILE", "one", "AWS_PROFILE", "two"), system);
        assertEquals(Map.of("aws.profile", "one"), system);
    }

    /** A flag wins, and what is not set stays so. */
    @Test
    void flagsWin() {
        AwsSettings.profile(Map.of("AWS_PROFILE", "two"), system);
        assertEquals(Map.of(), system);
        system.setProperty("aws.profile", "flag");
        AwsSettings.profile(Map.of("AWS_DEFAULT_PROFILE", "one"), system);
        assertEquals(Map.of("aws.profile", "flag"), system);
    }

    /** A path of the shared files may hold variables, which the SDK takes for names of folders. */
    @Test
    void variablesInPaths() {
        AwsSettings.files(Map.of("HOME", "/home/me", "AWS_CONFIG_FILE", "/etc/aws/config"), system);
        assertEquals(Map.of(), system);
        AwsSettings.files(
                Map.of("HOME", "/home/$me", "AWS_CONFIG_FILE", "$HOME/${NONE}/c",
                        "AWS_SHARED_CREDENTIALS_FILE", "/run/${HOME}$"),
                system);
        assertEquals(
                Map.of("aws.configFile", "/home/$me/${NONE}/c", "aws.sharedCredentialsFile", "/run//home/$me$"),
                system);
    }

    /** A role of the profile in use is asked for before a web identity's, and behind keys of the environment. */
    @Test
    void theRoleOfAProfile() {
        Map<String, String> pod = Map.of("AWS_WEB_IDENTITY_TOKEN_FILE", "/token");
        Map<String, String> role = Map.of("role_arn", "arn", "source_profile", "base");
        Map<String, String> onItsOwn = Map.of("role_arn", "arn", "web_identity_token_file", "/token");
        assertTrue(AwsSettings.roleOfProfileFirst(pod, name -> Optional.ofNullable(role.get(name))));
        assertFalse(AwsSettings.roleOfProfileFirst(pod, name -> Optional.ofNullable(onItsOwn.get(name))));
        assertFalse(AwsSettings.roleOfProfileFirst(Map.of(), name -> Optional.ofNullable(role.get(name))));
        Map<String, String> keys = new HashMap<>(pod);
        keys.put("AWS_ACCESS_KEY_ID", "key");
        assertFalse(AwsSettings.roleOfProfileFirst(keys, name -> Optional.ofNullable(role.get(name))));
    }

    /** The environment's number of attempts, else the profile's, else three. */
    @Test
    void attemptsWithMetadata() {
        Map<String, String> said = Map.of("AWS_METADATA_SERVICE_NUM_ATTEMPTS", "2");
        assertEquals(2, AwsSettings.metadataAttempts(said, name -> Optional.of("4")));
        assertEquals(4, AwsSettings.metadataAttempts(Map.of(), name -> Optional.of("4")));
        assertEquals(3, AwsSettings.metadataAttempts(Map.of(), name -> Optional.empty()));
    }

    /** Metadata may take five seconds, unless the environment or the profile says how long. */
    @Test
    void patienceWithMetadata() {
        AwsSettings.metadata(Map.of("AWS_METADATA_SERVICE_TIMEOUT", "2"), system, name -> Optional.empty());
        AwsSettings.metadata(Map.of(), system, name -> Optional.of("3"));
        assertEquals(Map.of(), system);
        AwsSettings.metadata(Map.of(), system, name -> Optional.empty());
        assertEquals(Map.of("aws.ec2MetadataServiceTimeout", "5"), system);
    }
}
