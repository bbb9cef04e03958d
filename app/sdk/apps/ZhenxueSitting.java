package zhenxue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.HttpURLConnection;
import java.net.URL;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.json.JSONArray;
import org.json.JSONException;
import org.json.JSONObject;

/**
 * A sitting, told to the service by an Android app. Copy this file; it needs Java 8 and `org.json`,
 * which Android has, and knows nothing else of Android: what it needs is handed to it. Every call, in
 * and out, is made on the one thread of `Loop`; only requests run beside it.
 */
public final class ZhenxueSitting {
    public static final String VERSION = "1.0.0";

    private static final long TICK_MS = 500;
    private static final long MOST_TICK_MS = 2_000; // a process that was frozen studied nothing
    private static final int MOST_KEPT = 5_000; // events, half a day offline
    private static final int AT_ONCE = 200;
    private static final int MOST_RENEWALS = 3;
    private static final double JUMP_S = 1.5; // nearer than that, players are as inexact themselves
    private static final long INPUT_MS = 30_000;
    private static final long PHOTO_MS = 600_000; // the service takes none that is later
    private static final long FRONT_MS = 700;
    private static final long ACTION_MS = 2_800;
    private static final long READ_MS = 4_000;
    private static final long BURST_MS = 500;

    /** The one thread, and its clock: of Android `Handler` and `SystemClock.elapsedRealtime`. */
    public interface Loop {
        long now(); // milliseconds since 1970

        long elapsed(); // milliseconds, never set back, also while the device sleeps

        void after(long ms, Runnable run);

        /** Run `work` beside the loop, then `then` on it. */
        void beside(Runnable work, Runnable then);
    }

    /** What plays; asked twice a second, so that it need not tell anything. */
    public interface Player {
        double position(); // seconds

        double duration(); // seconds, 0 as long as it is unknown

        double rate();

        boolean isPlaying(); // content moves: not paused, not loading

        void play();

        void pause();

        void seek(double seconds);
    }

    public interface Camera {
        /** Ask the learner, and the system; once a sitting. */
        void agreed(Then<Boolean> then);

        /** A JPEG of the front camera; null: none could be taken. */
        void photo(Then<byte[]> then);
    }

    /** What outlives the app: of Android `SharedPreferences`. */
    public interface Store {
        String get(String name); // "" if there is none

        void set(String name, String text);
    }

    public interface Then<T> {
        void with(T it);
    }

    /** Your own server, which adds learner and class and asks `POST /v1/sessions`; runs beside the loop. */
    public interface Opening {
        Answer ask(JSONObject terms) throws IOException;
    }

    /** All on the loop. Override what you show. */
    public static class Told {
        public void open(String session) {}

        public void refused(int status, String code, JSONObject body) {}

        public void stopped(String code, String text) {}

        public void popup(JSONObject question, double leftS) {} // question is null: only a confirmation

        public void popupOver() {}

        public void camera(boolean on) {}

        /** Say it beside the picture of the camera; null: the check is done. */
        public void prompt(String action, String textZh) {}

        public void photos(String purpose, int stored) {}

        public void cameraRefused() {}

        public void note(String zh) {} // why time does not count; null: it does again

        public void idle(boolean yes) {}

        public void offline(boolean yes) {}
    }

    /** Status 0: nobody answered. */
    public static final class Answer {
        public final int status;
        public final JSONObject body;
        public final double retryS;

        public Answer(int status, JSONObject body, double retryS) {
            this.status = status;
            this.body = body;
            this.retryS = retryS;
        }

        boolean later() {
            return status == 0 || status == 408 || status == 429 || status >= 500;
        }

        String code() {
            return body == null ? "" : body.optString("code");
        }
    }

    private final String service;
    private final String lesson;
    private final String app;
    private final Opening opening;
    private final Loop loop;
    private final Store store;
    private final Player player;
    private final Camera camera;
    private final Told told;
    private final Set<String> done = new HashSet<>();

    private String state = "new";
    private String device;
    private JSONObject kept;
    private double position;
    private boolean wasPlaying;
    private boolean begun;
    private boolean ended; // by silence
    private boolean visible = true;
    private boolean asking; // the service is asked to open
    private boolean sending;
    private Runnable whenSent;
    private boolean isOffline;
    private int failures;
    private int renewals;
    private long retryAt;
    private long openAt;
    private long ticked;
    private long beaten;
    private long beatMs = 10_000;
    private long idleMs;
    private long lastTouch;
    private long toldTouch;
    private boolean touchedAnew;
    private boolean isIdle;
    private String noted = "";
    private JSONObject popup;
    private long popupLeftMs;
    private JSONObject shown;
    private long shownAt;
    private long shownEnds;
    private JSONObject snapshot;
    private long snapshotLeftMs;
    private boolean photographing;
    private boolean refusedCamera;
    private boolean held; // content stands still behind a pop-up or a check
    private boolean wanted; // and goes on afterwards
    private double rate = 1;
    private long looked;

    public ZhenxueSitting(
            String service, String lesson, String app, Opening opening, Loop loop, Store store, Player player,
            Camera camera, Told told) {
        this.service = service.replaceAll("/+$", "");
        this.lesson = lesson;
        this.app = app;
        this.opening = opening;
        this.loop = loop;
        this.store = store;
        this.player = player;
        this.camera = camera;
        this.told = told;
    }

    /** Open the sitting, or go on with the one that an earlier run of the app left. */
    public void start() {
        device = store.get("zhenxue:device");
        if (device.isEmpty()) store.set("zhenxue:device", device = UUID.randomUUID().toString());
        kept = parsed(store.get("zhenxue:sitting"));
        if (kept == null) kept = blank();
        ticked = loop.elapsed();
        state = "opening";
        tick();
    }

    public String state() {
        return state;
    }

    public String session() {
        return kept == null ? "" : kept.optString("session");
    }

    // ------------------------------------------------------------- what the app says

    /** `onStop`: the app is not seen. What plays now does not count. */
    public void hide() {
        if (!visible) return;
        look();
        wanted = wanted || wasPlaying;
        player.pause();
        look();
        visible = false;
        report(event("visibility", "visible", false, "position", position));
        beat();
    }

    /** `onStart`. */
    public void show() {
        if (visible) return;
        visible = true;
        report(event("visibility", "visible", true, "position", position));
        beat();
        release();
    }

    /** Somebody touched the screen; told, twice a minute at most, only where the class asks for it. */
    public void touched() {
        lastTouch = loop.elapsed();
        touchedAnew = true;
        idle(false);
    }

    /** The pop-up was answered: `choice` is the number of what was chosen, from 0, where it asks something. */
    public void answer(int choice) {
        if (shown == null) return;
        JSONObject it = event("popup_answered", "input", "touch", "trusted", true, "latency_ms", loop.elapsed() - shownAt);
        put(it, "answer", shown.has("question") ? (Object) choice : "confirm");
        popupSays(it);
        popupOver();
        touched();
        release();
    }

    /** The learner leaves the lesson. What cannot be sent now is kept for the next start. */
    public void stop(String reason) {
        if (state.equals("over") || state.equals("new")) return;
        player.pause();
        look();
        beat();
        whenSent = () -> close(reason);
        send();
    }

    /** The learner tries again after `refused` or `stopped`. */
    public void again() {
        if (!state.equals("refused") && !state.equals("stopped")) return;
        if (state.equals("stopped")) forget();
        openAt = renewals = 0;
        state = "opening";
    }

    private void close(String reason) {
        whenSent = null;
        boolean live = state.equals("open") && queue().length() == 0;
        enter("over");
        save();
        if (!live) return;
        byte[] body = json("reason", reason).toString().getBytes(StandardCharsets.UTF_8);
        ask("POST", "/close", "application/json", body, it -> {
            if (it.status == 202) store.set("zhenxue:sitting", "");
        });
    }

    // ------------------------------------------------------------- opening

    private void open() {
        asking = true;
        boolean same = lesson.equals(kept.optString("lesson")) && service.equals(kept.optString("service"));
        if (ended || !(session().isEmpty() || same)) {
            leave();
            return;
        }
        JSONObject terms = terms();
        Answer[] answer = new Answer[1];
        loop.beside(() -> answer[0] = tried(() -> opening.ask(terms)), () -> heard(answer[0]));
    }

    private void heard(Answer answer) {
        asking = false;
        if (!state.equals("opening")) return;
        if (answer.body != null && answer.body.has("lease")) opened(answer.body);
        else if (answer.status == 409 && !session().isEmpty() && answer.code().matches("session_closed|session_exists")) {
            asking = true;
            leave();
        } else if (answer.later()) {
            offline(true);
            openAt = loop.elapsed() + backOff(answer.retryS);
        } else {
            enter("refused");
            told.refused(answer.status, answer.code(), answer.body);
        }
    }

    /** The sitting that was kept is over: bring what was noted in it, as far as it is still taken. */
    private void leave() {
        deliver(AT_ONCE, end -> {
            asking = false;
            if (end.equals("later")) openAt = retryAt;
            else {
                put(kept, "lost", kept.optInt("lost") + queue().length());
                forget();
            }
        });
    }

    private void forget() {
        ended = false;
        JSONObject fresh = blank();
        put(fresh, "lost", kept.optInt("lost"));
        kept = fresh;
        save();
    }

    private JSONObject terms() {
        JSONArray faces = new JSONArray().put("nearer").put("farther");
        JSONObject client = json("user_agent", app, "sdk_version", "android-" + VERSION, "face_actions", faces, "questions", true);
        JSONObject terms = json("lesson_id", lesson, "device_id", device, "window_id", "app", "client", client);
        put(terms, "started_at_ms", loop.now());
        if (!session().isEmpty()) put(terms, "session_id", session());
        return terms;
    }

    private void opened(JSONObject body) {
        String session = body.optString("session_id");
        boolean same = session.equals(session());
        JSONObject lease = body.optJSONObject("lease");
        put(kept, "session", session);
        put(kept, "token", lease.optString("token"));
        put(kept, "service", service);
        put(kept, "lesson", lesson);
        put(kept, "seq", Math.max(kept.optLong("seq"), body.optLong("next_seq")));
        beatMs = Math.round(lease.optDouble("heartbeat_s", 10) * 1000);
        idleMs = Math.round(lease.optDouble("idle_limit_s", 0) * 1000);
        lastTouch = toldTouch = loop.elapsed();
        if (!begun) {
            position = same ? kept.optDouble("position", 0) : body.optDouble("resume_position", 0);
            player.seek(position);
        }
        begun = true;
        offline(false);
        enter("open");
        if (idleMs > 0 && !same) report(event("integrity", "code", "input_watched", "value", true));
        if (!same) wasPlaying = false; // `look` tells this sitting that it plays
        told.open(session);
        beat();
        controls(body.optJSONObject("controls"));
    }

    // ------------------------------------------------------------- while it is open

    /** Everything that waits for its time: one timer, so that one freeze is one freeze. */
    private void tick() {
        if (state.equals("over")) return;
        long now = loop.elapsed();
        long passed = Math.max(0, Math.min(now - ticked, MOST_TICK_MS));
        ticked = now;
        loop.after(TICK_MS, this::tick);
        if (state.equals("opening") && !asking && !sending && now >= openAt) open();
        if (!state.equals("open")) return;
        look();
        if (now - beaten >= beatMs) beat();
        if (visible && wasPlaying) {
            popupLeftMs -= passed;
            snapshotLeftMs -= passed;
        }
        if (popup != null && shown == null && visible && popupLeftMs <= 0 && !photographing) show(popup);
        if (shown != null && now >= shownEnds) expire();
        if (snapshot != null && visible && snapshotLeftMs <= 0) photograph(snapshot, "random");
        if (idleMs > 0 && wasPlaying && now - lastTouch >= idleMs) idle(true);
        if (queue().length() > 0 && now >= retryAt) send();
    }

    /** What the player does by now, told as what it did: play, pause, another rate, a jump. */
    private void look() {
        long now = loop.elapsed();
        double at = Math.round(player.position() * 1000) / 1000.0;
        boolean plays = player.isPlaying();
        double most = wasPlaying || plays ? (now - looked) / 1000.0 * rate : 0;
        looked = now;
        if (at - position > most + JUMP_S || position - at > JUMP_S) report(event("seek", "from", position, "to", at));
        position = at;
        if (player.rate() != rate) report(event("rate", "rate", rate = player.rate(), "position", at));
        if (plays == wasPlaying) return;
        wasPlaying = plays;
        JSONObject it = event(plays ? "play" : "pause", "position", at);
        if (player.duration() > 0) put(it, "duration", player.duration());
        report(it);
        if (plays && held) player.pause();
    }

    private void beat() {
        long now = loop.elapsed();
        beaten = now;
        if (idleMs > 0 && touchedAnew && now - toldTouch >= INPUT_MS) {
            touchedAnew = false;
            toldTouch = now;
            report(event("integrity", "code", "input", "value", true));
        }
        JSONObject it = event("progress", "position", position, "rate", rate, "visible", visible, "focused", visible);
        put(it, "monotonic_ms", now);
        report(it);
        if (now >= retryAt) send();
    }

    /** Note an event. It is kept until the service says that it has it, also over a restart of the app. */
    private void report(JSONObject event) {
        if (session().isEmpty() || !state.matches("open|opening")) return;
        long seq = kept.optLong("seq");
        put(event, "seq", seq);
        put(event, "at_ms", loop.now());
        put(kept, "seq", seq + 1);
        queue().put(event);
        if (queue().length() > MOST_KEPT) {
            drop(queue().optJSONObject(0).optLong("seq"));
            put(kept, "lost", kept.optInt("lost") + 1);
        }
        save();
    }

    private void send() {
        if (sending || !state.equals("open")) {
            if (!sending && whenSent != null) whenSent.run();
            return;
        }
        sending = true;
        deliver(AT_ONCE, end -> {
            sending = false;
            if (whenSent != null) whenSent.run();
            else if (end.equals("gone") && state.equals("open")) renew();
        });
    }

    /** The lease is over, or the sitting: opening it again tells which. */
    private void renew() {
        renewals += 1;
        if (renewals > MOST_RENEWALS) {
            enter("refused");
            told.refused(409, "session_closed", null);
        } else {
            openAt = 0;
            state = "opening";
        }
    }

    /** Batch after batch, oldest first; the next only after the last was answered: sent, later or gone. */
    private void deliver(int most, Then<String> then) {
        if (queue().length() == 0 || kept.optString("token").isEmpty()) {
            then.with("sent");
            return;
        }
        if (kept.optInt("lost") > 0) {
            int lost = kept.optInt("lost");
            put(kept, "lost", 0);
            report(event("error", "code", "events_lost", "detail", String.valueOf(lost)));
        }
        JSONObject batch = kept;
        JSONArray events = new JSONArray();
        for (int n = 0; n < Math.min(most, queue().length()); n++) events.put(queue().opt(n));
        long last = events.optJSONObject(events.length() - 1).optLong("seq");
        byte[] body = json("sent_at_ms", loop.now(), "events", events).toString().getBytes(StandardCharsets.UTF_8);
        ask("POST", "/events", "application/json", body, it -> {
            if (batch != kept) then.with("gone");
            else if (it.later()) {
                offline(true);
                retryAt = loop.elapsed() + backOff(it.retryS);
                then.with("later");
            } else {
                offline(false);
                if (it.status == 200) acknowledged(last, it.body);
                else if (it.status == 413 && events.length() > 1) {
                    deliver(events.length() / 2, then);
                    return;
                } else if (it.status == 400 || it.status == 413 || it.status == 415 || it.status == 422) {
                    drop(last); // refused for good
                    put(kept, "lost", kept.optInt("lost") + events.length());
                } else {
                    then.with("gone");
                    return;
                }
                if (batch == kept) deliver(most, then);
                else then.with("sent");
            }
        });
    }

    private void acknowledged(long last, JSONObject body) {
        renewals = 0;
        put(kept, "seq", Math.max(kept.optLong("seq"), body.optLong("next_seq")));
        JSONArray rejected = body.optJSONArray("rejected");
        put(kept, "lost", kept.optInt("lost") + (rejected == null ? 0 : rejected.length()));
        drop(last);
        save();
        if (state.equals("open")) controls(body.optJSONObject("controls"));
    }

    private void drop(long upTo) {
        JSONArray rest = new JSONArray();
        for (int n = 0; n < queue().length(); n++) {
            if (queue().optJSONObject(n).optLong("seq") > upTo) rest.put(queue().opt(n));
        }
        put(kept, "queue", rest);
    }

    // ------------------------------------------------------------- what the service asks for

    private void controls(JSONObject it) {
        if (it == null) it = new JSONObject();
        JSONObject stop = it.optJSONObject("stop");
        if (stop != null) {
            popupOver();
            if (stop.optString("code").equals("expired")) {
                ended = true; // by silence: on in another one, once what is left of this one was brought
                state = "opening";
                return;
            }
            enter("stopped");
            told.stopped(stop.optString("code"), stop.optString("text"));
            return;
        }
        JSONObject note = it.optJSONObject("note");
        String code = note == null ? "" : note.optString("code");
        if (!code.equals(noted)) {
            noted = code;
            told.note(note == null ? null : note.optString("zh"));
        }
        demand(it.optJSONObject("popup"));
        snapshot = fresh(it.optJSONObject("snapshot"));
        if (snapshot != null) snapshotLeftMs = Math.round(snapshot.optDouble("due_in_s", 0) * 1000);
        JSONObject check = fresh(it.optJSONObject("face_check"));
        if (check != null && visible) photograph(check, "challenge");
    }

    private JSONObject fresh(JSONObject control) {
        return control == null || done.contains(control.optString("challenge_id")) ? null : control;
    }

    private void demand(JSONObject due) {
        boolean other = due == null || shown == null || !named(due).equals(named(shown));
        if (shown != null && other) { // it was answered in another place
            popupOver();
            release();
        }
        popup = fresh(due);
        if (popup != null) popupLeftMs = Math.round(popup.optDouble("due_in_s", 0) * 1000);
    }

    private static String named(JSONObject control) {
        return control.optString("challenge_id");
    }

    private void show(JSONObject due) {
        shown = due;
        double leftS = due.optDouble("left_s", due.optDouble("answer_window_s", 60));
        shownAt = loop.elapsed();
        shownEnds = shownAt + Math.round(leftS * 1000);
        hold();
        popupSays(event("popup_shown"));
        told.popup(due.optJSONObject("question"), leftS);
    }

    private void expire() {
        popupSays(event("popup_expired"));
        popupOver();
    }

    private void popupSays(JSONObject event) {
        put(event, "challenge_id", named(shown));
        put(event, "nonce", shown.opt("nonce"));
        report(event);
        send();
    }

    private void popupOver() {
        if (shown == null) return;
        done.add(named(shown));
        shown = popup = null;
        held = photographing;
        told.popupOver();
    }

    /** Content stands still behind a pop-up and a face check, and goes on afterwards. */
    private void hold() {
        wanted = wanted || player.isPlaying();
        held = true;
        player.pause();
        look();
    }

    private void release() {
        if (held || !wanted || !visible || !state.equals("open")) return;
        wanted = false;
        player.play();
    }

    // ------------------------------------------------------------- photos

    private void photograph(JSONObject control, String purpose) {
        if (photographing || refusedCamera || shown != null || camera == null) return;
        photographing = true;
        agreed(yes -> {
            if (!yes) {
                photographing = false;
                return;
            }
            done.add(named(control));
            snapshot = null;
            told.camera(true);
            List<Shot> shots = shots(control, purpose);
            Photos photos = new Photos(control, purpose, shots);
            if (purpose.equals("challenge")) hold();
            JSONObject text = control.optJSONObject("text");
            if (text != null) told.prompt("again", text.optString("zh"));
            loop.after(text == null ? 0 : READ_MS, photos::next);
        });
    }

    private void agreed(Then<Boolean> then) {
        if (kept.optBoolean("agreed")) {
            then.with(true);
            return;
        }
        hold();
        camera.agreed(yes -> {
            held = false;
            put(kept, "agreed", yes);
            save();
            if (!yes) {
                refusedCamera = true;
                report(event("error", "code", "camera_refused"));
                told.cameraRefused();
            }
            release();
            then.with(yes);
        });
    }

    private static final class Shot {
        final String action;
        final long waitMs;

        Shot(String action, long waitMs) {
            this.action = action;
            this.waitMs = waitMs;
        }
    }

    /** As many photos as asked for, spread over what is to be done: fewer are a failed try. */
    private static List<Shot> shots(JSONObject control, String purpose) {
        List<Shot> shots = new ArrayList<>();
        int frames = control.optInt("frames", 1);
        if (purpose.equals("random")) {
            for (int n = 0; n < frames; n++) shots.add(new Shot("", BURST_MS));
            return shots;
        }
        for (int n = 0; n < 2; n++) shots.add(new Shot("face_front", FRONT_MS / 2));
        JSONArray actions = control.optJSONArray("actions");
        int each = (frames - 2 + actions.length() - 1) / Math.max(actions.length(), 1);
        for (int a = 0; a < actions.length(); a++) {
            for (int n = 0; n < each; n++) shots.add(new Shot(actions.optString(a), ACTION_MS / each));
        }
        return shots;
    }

    /** One series: taken in its rhythm, sent one after the other beside it. */
    private final class Photos {
        final JSONObject control;
        final String purpose;
        final List<Shot> shots;
        final List<String> paths = new ArrayList<>();
        final List<byte[]> pictures = new ArrayList<>();
        int frame;
        int stored;
        int sent;
        int tries;
        boolean underWay;
        boolean all;
        long until;
        String said = "";

        Photos(JSONObject control, String purpose, List<Shot> shots) {
            this.control = control;
            this.purpose = purpose;
            this.shots = shots;
        }

        void next() {
            if (frame == shots.size() || state.equals("over")) {
                end();
                return;
            }
            Shot shot = shots.get(frame);
            long begun = loop.elapsed();
            if (!shot.action.isEmpty() && !shot.action.equals(said)) told.prompt(said = shot.action, null);
            camera.photo(picture -> {
                if (picture == null) {
                    report(event("error", "code", "camera_unavailable"));
                    end();
                    return;
                }
                paths.add("/snapshots/" + named(control) + "-" + frame + "?purpose=" + purpose + "&frame=" + frame
                        + "&challenge_id=" + encoded(named(control)) + "&taken_at_ms=" + loop.now());
                pictures.add(picture);
                frame += 1;
                upload();
                loop.after(Math.max(0, begun + shot.waitMs - loop.elapsed()), this::next);
            });
        }

        void end() {
            photographing = held = false;
            all = true;
            told.camera(false);
            if (purpose.equals("challenge")) told.prompt(null, null);
            release();
            upload();
        }

        void upload() {
            if (underWay) return;
            if (sent == pictures.size()) {
                if (all) told.photos(purpose, stored);
                return;
            }
            if (tries == 0) until = loop.elapsed() + PHOTO_MS;
            underWay = true;
            ask("PUT", paths.get(sent), "image/jpeg", pictures.get(sent), it -> {
                underWay = false;
                if (it.later() && loop.elapsed() < until) {
                    tries += 1;
                    underWay = true;
                    loop.after(it.retryS > 0 ? Math.round(it.retryS * 1000) : Math.min(30_000, 500L << Math.min(tries, 6)), () -> {
                        underWay = false;
                        upload();
                    });
                    return;
                }
                if (it.status == 202 && !it.body.optBoolean("late")) stored += 1;
                else if (it.status != 202) report(event("error", "code", "photo_refused", "detail", it.status + " " + it.code()));
                pictures.set(sent, null);
                sent += 1;
                tries = 0;
                upload();
            });
        }
    }

    // ------------------------------------------------------------- the rest

    private interface Asked {
        Answer ask() throws IOException;
    }

    private static Answer tried(Asked asked) {
        try {
            return asked.ask();
        } catch (IOException | RuntimeException error) {
            return new Answer(0, null, 0);
        }
    }

    private void ask(String method, String path, String type, byte[] body, Then<Answer> then) {
        String url = service + "/v1/sessions/" + encoded(session()) + path;
        String token = kept.optString("token");
        Answer[] answer = new Answer[1];
        loop.beside(() -> answer[0] = ours(tried(() -> request(method, url, token, type, body))), () -> then.with(answer[0]));
    }

    /**
     * What a gateway refuses in the service's place is no answer: each problem of the service tells its status. A 413 is
     * true of the line, whoever says it.
     */
    private static Answer ours(Answer it) {
        boolean foreign = it.status >= 400 && it.status != 413 && (it.body == null || it.body.optInt("status") != it.status);
        return foreign ? new Answer(0, null, it.retryS) : it;
    }

    /** One request; blocks. Also for `Opening`, with your own token. */
    public static Answer request(String method, String url, String token, String type, byte[] body) throws IOException {
        HttpURLConnection line = (HttpURLConnection) new URL(url).openConnection();
        line.setConnectTimeout(20_000);
        line.setReadTimeout(20_000);
        line.setRequestMethod(method);
        line.setRequestProperty("Authorization", "Bearer " + token);
        line.setRequestProperty("Content-Type", type);
        line.setDoOutput(true);
        line.setFixedLengthStreamingMode(body.length);
        try (OutputStream out = line.getOutputStream()) {
            out.write(body);
        }
        int status = line.getResponseCode();
        String text = "";
        try (InputStream in = status < 400 ? line.getInputStream() : line.getErrorStream()) {
            ByteArrayOutputStream read = new ByteArrayOutputStream();
            byte[] part = new byte[8192];
            for (int n; in != null && (n = in.read(part)) > 0; ) read.write(part, 0, n);
            text = new String(read.toByteArray(), StandardCharsets.UTF_8);
        }
        String wait = line.getHeaderField("Retry-After");
        return new Answer(status, parsed(text), wait == null ? 0 : Double.parseDouble(wait));
    }

    private long backOff(double retryS) {
        failures += 1;
        double jitter = 0.5 + Math.random() / 2;
        return retryS > 0 ? Math.round(retryS * 1000) : Math.round(Math.min(30_000, 500L << Math.min(failures, 6)) * jitter);
    }

    private void offline(boolean yes) {
        if (!yes) {
            failures = 0;
            retryAt = 0;
        }
        if (yes == isOffline) return;
        isOffline = yes;
        told.offline(yes);
    }

    private void idle(boolean yes) {
        if (yes == isIdle) return;
        isIdle = yes;
        told.idle(yes);
    }

    private void enter(String next) {
        state = next;
        if (next.equals("open")) return;
        popupOver();
        player.pause();
    }

    private JSONArray queue() {
        return kept.optJSONArray("queue");
    }

    private void save() {
        put(kept, "position", position);
        store.set("zhenxue:sitting", kept.toString());
    }

    private static JSONObject blank() {
        return json("session", "", "token", "", "service", "", "lesson", "", "seq", 0, "queue", new JSONArray(), "lost", 0);
    }

    private static JSONObject event(String type, Object... fields) {
        return put(json(fields), "type", type);
    }

    private static JSONObject json(Object... fields) {
        JSONObject made = new JSONObject();
        for (int n = 0; n < fields.length; n += 2) put(made, (String) fields[n], fields[n + 1]);
        return made;
    }

    private static JSONObject put(JSONObject into, String name, Object value) {
        try {
            return into.put(name, value);
        } catch (JSONException error) {
            throw new IllegalArgumentException(name, error); // a number that is none
        }
    }

    private static JSONObject parsed(String text) {
        try {
            return new JSONObject(text);
        } catch (JSONException error) {
            return null;
        }
    }

    private static String encoded(String text) {
        try {
            return URLEncoder.encode(text, "UTF-8");
        } catch (IOException error) {
            throw new IllegalStateException(error);
        }
    }
}
