package io.github.kclprocessor.launcher;

import com.beust.jcommander.JCommander;
import com.beust.jcommander.Parameter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** The command line, which is that of the KCL's own MultiLangDaemon. */
final class Arguments {
    private static final String WORD_END = "\t";

    @Parameter(names = {"-p", "--properties-file"}, required = true, description = "the daemon's properties file")
    private String properties;

    @Parameter(names = {"-l", "--log-configuration"}, description = "a logback.xml to use in place of the built-in one")
    private String logConfiguration;

    private Arguments() {}

    /** @throws IllegalArgumentException with a message for a person */
    static Arguments parse(String... args) {
        Arguments arguments = new Arguments();
        try {
            JCommander.newBuilder().addObject(arguments).build().parse(args);
        } catch (com.beust.jcommander.ParameterException e) {
            throw new IllegalArgumentException(e.getMessage(), e);
        }
        return arguments;
    }

    /** A command that the start hands over in a system property, if it does. */
    static Optional<List<String>> command(String property) {
        return Optional.ofNullable(System.getProperty(property)).map(words -> List.of(words.split(WORD_END)));
    }

    Path properties() {
        return existing(properties);
    }

    /** The value for logback's system property {@code logback.configurationFile}. */
    String logConfiguration() {
        return logConfiguration == null ? "logback.xml" : existing(logConfiguration).toString();
    }

    private static Path existing(String name) {
        Path path = Path.of(name).toAbsolutePath();
        if (!Files.isReadable(path)) {
            throw new IllegalArgumentException("cannot read " + path);
        }
        return path;
    }
}
