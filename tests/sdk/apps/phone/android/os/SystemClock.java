package android.os;

import android.app.Runs;

public class SystemClock {
    public static long elapsedRealtime() {
        return Runs.ELAPSED.getAsLong();
    }
}
