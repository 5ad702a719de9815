package io.github.kclprocessor.launcher;

import java.lang.reflect.Proxy;

/** Objects of an interface that a test answers for. */
final class Fake {
    private Fake() {}

    /** What a call comes to; of one that returns nothing, nothing is returned. */
    interface Answer {
        Object to(String method, Object[] arguments) throws Exception;
    }

    static <T> T of(Class<T> type, Answer answer) {
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type},
                (self, method, arguments) -> {
                    Object answered = answer.to(method.getName(), arguments);
                    return method.getReturnType() == void.class ? null : answered;
                }));
    }
}
