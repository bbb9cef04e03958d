package android.os;

import android.app.Runs;

public class Handler {
    public Handler(Looper looper) {}

    public boolean post(Runnable run) {
        return postDelayed(run, 0);
    }

    public boolean postDelayed(Runnable run, long ms) {
        Runs.AFTER.accept(ms, run);
        return true;
    }
}
