package io.github.kclprocessor.launcher;

import java.lang.reflect.Field;

/** What objects of the KCL keep to themselves. Public for the launcher's classes in the KCL's packages. */
public final class Kept {
    private Kept() {}

    /** A field of an object's class, or of one that it extends, which may be read and set. */
    public static Field field(Object owner, String name) throws NoSuchFieldException {
        for (Class<?> type = owner.getClass(); type != null; type = type.getSuperclass()) {
            for (Field field : type.getDeclaredFields()) {
                if (field.getName().equals(name)) {
                    field.setAccessible(true);
                    return field;
                }
            }
        }
        throw new NoSuchFieldException(name);
    }

    /** What such a field holds. */
    public static Object read(Object owner, String name) throws ReflectiveOperationException {
        return field(owner, name).get(owner);
    }
}
