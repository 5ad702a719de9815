package io.github.kclprocessor.launcher;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import software.amazon.awssdk.profiles.ProfileFile;
import software.amazon.awssdk.profiles.ProfileFileSupplier;
import software.amazon.awssdk.profiles.ProfileFileSystemSetting;
import software.amazon.awssdk.regions.Region;

/** The AWS profile in use, and those that a task names. */
final class Profile {
    private Profile() {}

    static Optional<String> property(String name) {
        return ProfileFile.defaultProfileFile()
                .profile(ProfileFileSystemSetting.AWS_PROFILE.getStringValueOrThrow())
                .flatMap(profile -> profile.property(name));
    }

    /**
     * The shared files, read again when they change, with one region for all profiles: it is where STS is asked
     * for a profile's role, and each side has its own. botocore goes by the side's, too.
     */
    static Supplier<ProfileFile> files(Region region) {
        return new InRegion(ProfileFileSupplier.defaultSupplier(), region);
    }

    /** Gives the same object for as long as the files are the same, for the SDK starts over with another. */
    private static final class InRegion implements Supplier<ProfileFile> {
        private final Supplier<ProfileFile> files;
        private final Region region;
        private ProfileFile read;
        private ProfileFile made = ProfileFile.aggregator().build();

        InRegion(Supplier<ProfileFile> files, Region region) {
            this.files = files;
            this.region = region;
        }

        @Override
        public synchronized ProfileFile get() {
            ProfileFile now = files.get();
            // There is none without a file.
            if (now != null && now != read) {
                read = now;
                // What comes first has the last word.
                made = ProfileFile.aggregator().addFile(regions(now)).addFile(now).build();
            }
            return made;
        }

        private ProfileFile regions(ProfileFile of) {
            String text = of.profiles().keySet().stream()
                    .map(name -> "[profile " + name + "]\nregion = " + region.id() + "\n")
                    .collect(Collectors.joining());
            return ProfileFile.builder()
                    .type(ProfileFile.Type.CONFIGURATION)
                    .content(new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)))
                    .build();
        }
    }
}
