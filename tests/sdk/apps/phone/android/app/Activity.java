package android.app;

import android.content.Intent;
import android.content.SharedPreferences;
import android.os.Bundle;
import android.view.View;

public class Activity {
    public static final int MODE_PRIVATE = 0;
    private boolean finishing;

    protected void onCreate(Bundle saved) {}

    protected void onStart() {}

    protected void onStop() {}

    protected void onDestroy() {}

    public void onUserInteraction() {}

    public void setContentView(View view) {}

    public void setTitle(CharSequence title) {}

    public Intent getIntent() {
        return new Intent();
    }

    public SharedPreferences getSharedPreferences(String name, int mode) {
        return new SharedPreferences();
    }

    public void finish() {
        finishing = true;
    }

    public boolean isFinishing() {
        return finishing;
    }
}
