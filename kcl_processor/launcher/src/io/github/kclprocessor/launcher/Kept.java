package io.github.kclprocessor.launcher;

import java.lang.reflect.Field;

/** What objects of the KCL keep to themselves. Public for the launcher's classes in the KCL's packages. */
public final class Kept {
    private Kept() {}

    /** A field of an object's own class, which may be read and set. */
    public static Field field(Object owner, String name) throws NoSuchFieldException {
        Field field = owner.getClass().getDeclaredField(name);
        field.setAccessible(true);
        return field;
    }

    /** What such a field holds. */
    public static Object read(Object owner, String name) throws ReflectiveOperationException {
        return field(owner, name).get(owner);
    }
}
