package android.app;

import java.util.concurrent.Executor;
import java.util.function.BiConsumer;
import java.util.function.LongSupplier;

/** What the imitated phone gives to the imitated Android. */
public final class Runs {
    public static BiConsumer<String, Runnable> PRESSED;
    public static BiConsumer<Long, Runnable> AFTER;
    public static LongSupplier ELAPSED;
    public static LongSupplier NOW;
    public static Executor LINE;

    private Runs() {}
}
