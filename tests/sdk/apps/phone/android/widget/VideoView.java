package android.widget;

import android.app.Activity;
import android.app.Runs;
import android.view.View;

public class VideoView extends View {
    public static final double FILM_S = 2_700;
    public static VideoView shown;
    private double from;
    private long since;
    private boolean playing;

    public VideoView(Activity activity) {
        shown = this;
    }

    public void setVideoPath(String path) {}

    public double at() {
        double now = playing ? from + (Runs.ELAPSED.getAsLong() - since) / 1000.0 : from;
        return Math.min(now, FILM_S);
    }

    public int getCurrentPosition() {
        return (int) Math.round(at() * 1000);
    }

    public int getDuration() {
        return (int) (FILM_S * 1000);
    }

    public boolean isPlaying() {
        return playing && at() < FILM_S;
    }

    public void start() {
        from = at();
        since = Runs.ELAPSED.getAsLong();
        playing = true;
    }

    public void pause() {
        from = at();
        playing = false;
    }

    public void seekTo(int ms) {
        from = ms / 1000.0;
        since = Runs.ELAPSED.getAsLong();
    }
}
