import android.app.Runs;
import android.content.SharedPreferences;
import android.widget.VideoView;
import com.example.lessons.LessonActivity;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.URL;
import java.util.PriorityQueue;
import org.json.JSONObject;
import zhenxue.ZhenxueSitting;

/**
 * The guide's activity, studied in without a phone: what it needs of Android is imitated, time passes
 * by leaps, and every request goes over the network to the service under test.
 *
 *   java Phone SERVICE STORY
 */
public final class Phone {
    private static final class Timer implements Comparable<Timer> {
        final long at;
        final long number;
        final Runnable run;

        Timer(long at, long number, Runnable run) {
            this.at = at;
            this.number = number;
            this.run = run;
        }

        @Override
        public int compareTo(Timer other) {
            return at != other.at ? Long.compare(at, other.at) : Long.compare(number, other.number);
        }
    }

    private static final PriorityQueue<Timer> TIMERS = new PriorityQueue<>();
    private static String service;
    private static long began;
    private static long passed;
    private static long moved;
    private static long numbers;
    private static boolean online = true;
    private static int failed;
    private static int popups;
    private static int photos;
    private static String does = "";

    private Phone() {}

    private static void after(long ms, Runnable run) {
        TIMERS.add(new Timer(passed + ms, numbers++, run));
    }

    /** Requests are over before anything else happens; the service's clock goes on with each. */
    private static void line(Runnable run) {
        if (passed > moved) post("/clock?seconds=" + (passed - moved) / 1000.0);
        moved = passed;
        if (online) {
            run.run();
            return;
        }
        failed += 1;
        System.setProperty("http.nonProxyHosts", ""); // every request is sent to a port where nobody is
        System.setProperty("http.proxyHost", "127.0.0.1");
        System.setProperty("http.proxyPort", "9");
        run.run();
        System.clearProperty("http.proxyHost");
    }

    /** Somebody reads what is asked and presses the button after a while. */
    private static void asked(String title, Runnable press) {
        boolean popup = title.contains("正在学习");
        if (popup) popups += 1;
        after(popup ? 5_000 : 3_000, press);
    }

    private static byte[] post(String path) {
        try {
            HttpURLConnection line = (HttpURLConnection) new URL(service + path).openConnection();
            line.setRequestMethod("POST");
            line.setDoOutput(true);
            line.getOutputStream().close();
            ByteArrayOutputStream read = new ByteArrayOutputStream();
            try (InputStream in = line.getInputStream()) {
                for (int n; (n = in.read()) >= 0; ) read.write(n);
            }
            return read.toByteArray();
        } catch (IOException error) {
            throw new IllegalStateException(path, error);
        }
    }

    private static void pass(double seconds, boolean frozen) {
        long until = passed + Math.round(seconds * 1000);
        while (!frozen && !TIMERS.isEmpty() && TIMERS.peek().at <= until) {
            Timer next = TIMERS.poll();
            passed = Math.max(passed, next.at);
            next.run.run();
        }
        passed = until;
    }

    /** The guide's activity, with a camera, before somebody who does what it says. */
    private static final class Lesson extends LessonActivity {
        @Override
        public void setTitle(CharSequence text) {
            String said = text.toString();
            does = said.contains("左") ? "turn_left" : said.contains("右") ? "turn_right"
                : said.contains("近") ? "nearer" : said.contains("远") ? "farther" : "";
        }

        @Override
        protected void takePhoto(ZhenxueSitting.Then<byte[]> then) {
            byte[] picture = post("/camera?does=" + does);
            photos += 1;
            after(120, () -> then.with(picture));
        }

        Lesson opened() {
            onCreate(null);
            onStart();
            return this;
        }

        void hidden() {
            onStop();
        }

        void seen() {
            onStart();
        }

        void left() {
            finish();
            onStop();
            onDestroy();
        }

        String session() {
            return sitting.session();
        }
    }

    public static void main(String[] arguments) throws Exception {
        service = arguments[0];
        JSONObject story = new JSONObject(arguments[1]);
        began = new JSONObject(new String(post("/clock"), "UTF-8")).getLong("now_ms");
        Runs.PRESSED = Phone::asked;
        Runs.AFTER = Phone::after;
        Runs.ELAPSED = () -> passed;
        Runs.NOW = () -> began + passed;
        Runs.LINE = Phone::line;
        Lesson lesson = new Lesson().opened();
        pass(2, false);
        VideoView.shown.start();
        double filmS = story.getDouble("film_s");
        int still = 0;
        while (passed / 1000.0 < story.getDouble("until_s") && VideoView.shown.at() < filmS) {
            pass(1, false);
            double at = VideoView.shown.at();
            still = VideoView.shown.isPlaying() ? 0 : still + 1;
            if (still > 60) VideoView.shown.start(); // nothing goes on by itself
            JSONObject outage = story.optJSONObject("outage");
            if (outage != null && at >= outage.getDouble("at_s")) {
                online = false;
                pass(outage.getDouble("for_s"), false);
                online = true;
                story.remove("outage");
            }
            JSONObject background = story.optJSONObject("background");
            if (background != null && at >= background.getDouble("at_s")) {
                lesson.hidden();
                pass(1, false);
                pass(background.getDouble("for_s"), true);
                lesson.seen();
                story.remove("background");
            }
            JSONObject killed = story.optJSONObject("killed");
            if (killed != null && at >= killed.getDouble("at_s")) {
                TIMERS.clear();
                pass(killed.getDouble("for_s"), false);
                story.remove("killed");
                lesson = new Lesson().opened();
                pass(2, false);
                VideoView.shown.start();
            }
        }
        pass(3, false);
        String session = lesson.session();
        double played = VideoView.shown.at();
        lesson.left();
        pass(1, false);
        JSONObject told = new JSONObject().put("session", session).put("played_s", played).put("failed", failed);
        told.put("popups", popups).put("photos", photos).put("kept", SharedPreferences.KEPT.get("zhenxue:sitting"));
        told.put("noted", new JSONObject(SharedPreferences.NOTED));
        System.out.println(told);
    }
}
