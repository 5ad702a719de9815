package io.github.kclprocessor.launcher;

import java.lang.reflect.Field;

/**
 * DynamoDB Local for this machine alone. It listens on every address and has no switch against that; its
 * server (Jetty's) is told before it starts. Of no use to a daemon, which has none of its jars.
 */
public final class LoopbackDatabase {
    private static final String RUNNER = "com.amazonaws.services.dynamodbv2.local.main.ServerRunner";

    private LoopbackDatabase() {
    }

    /** Starts it; the arguments are its own. */
    public static void main(String[] arguments) throws ReflectiveOperationException {
        Object database = Class.forName(RUNNER)
                .getMethod("createServerFromCommandLineArgs", String[].class)
                .invoke(null, (Object) arguments);
        Field field = database.getClass().getDeclaredField("server");
        field.setAccessible(true);
        Object server = field.get(database);
        for (Object connector : (Object[]) server.getClass().getMethod("getConnectors").invoke(server)) {
            connector.getClass().getMethod("setHost", String.class).invoke(connector, "127.0.0.1");
        }
        database.getClass().getMethod("start").invoke(database);
    }
}
