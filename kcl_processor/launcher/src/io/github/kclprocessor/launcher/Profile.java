package io.github.kclprocessor.launcher;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
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
     * The shared files, read again when they change. Names of their settings may be of capitals, as they are
     * in the environment, from where people copy them: for botocore these are the same.
     */
    static Supplier<ProfileFile> files() {
        return new Amended(ProfileFileSupplier.defaultSupplier(), "");
    }

    /**
     * The same with one region for all profiles: it is where STS is asked for a profile's role, and each side
     * has its own. botocore goes by the side's, too.
     */
    static Supplier<ProfileFile> files(Region region) {
        return new Amended(ProfileFileSupplier.defaultSupplier(), "region = " + region.id() + "\n");
    }

    /** Gives the same object for as long as the files are the same, for the SDK starts over with another. */
    static final class Amended implements Supplier<ProfileFile> {
        private final Supplier<ProfileFile> files;
        private final String lines;
        private ProfileFile read;
        private ProfileFile made = ProfileFile.aggregator().build();

        /** @param lines what each profile has besides, before its own */
        Amended(Supplier<ProfileFile> files, String lines) {
            this.files = files;
            this.lines = lines;
        }

        @Override
        public synchronized ProfileFile get() {
            ProfileFile now = files.get();
            // There is none without a file.
            if (now != null && now != read) {
                read = now;
                // What comes first has the last word.
                made = ProfileFile.aggregator().addFile(amendments(now)).addFile(now).build();
            }
            return made;
        }

        private ProfileFile amendments(ProfileFile of) {
            String text = of.profiles().entrySet().stream()
                    .map(named -> "[profile " + named.getKey() + "]\n" + lines + inSmall(named.getValue()))
                    .collect(Collectors.joining());
            return ProfileFile.builder()
                    .type(ProfileFile.Type.CONFIGURATION)
                    .content(new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)))
                    .build();
        }

        private static String inSmall(software.amazon.awssdk.profiles.Profile profile) {
            return profile.properties().entrySet().stream()
                    .filter(set -> !set.getKey().equals(small(set.getKey())) && !set.getValue().contains("\n"))
                    .map(set -> small(set.getKey()) + " = " + set.getValue() + "\n")
                    .collect(Collectors.joining());
        }

        private static String small(String name) {
            return name.toLowerCase(Locale.ROOT);
        }
    }
}
