package io.github.kclprocessor.launcher;

import java.util.Optional;
import software.amazon.awssdk.profiles.ProfileFile;
import software.amazon.awssdk.profiles.ProfileFileSystemSetting;

/** The AWS profile in use. */
final class Profile {
    private Profile() {}

    static Optional<String> property(String name) {
        return ProfileFile.defaultProfileFile()
                .profile(ProfileFileSystemSetting.AWS_PROFILE.getStringValueOrThrow())
                .flatMap(profile -> profile.property(name));
    }
}
