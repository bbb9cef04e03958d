import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Zhenxue for a platform's server: open a sitting, forward what the player tells, close it, verify
 * webhooks. Java 11 or later and nothing else; copy the file. JSON goes in and out as text, to be
 * written and read by the library that you have.
 *
 * <p>Every call is sent again until it is answered, for {@code patience}: after 503 and 429 as late
 * as the service says, after silence twice as late each time. Sent again it counts once: a sitting
 * by its session_id, a batch by its batch_id, a photo by its snapshot_id.
 */
public final class Zhenxue {
    /** The service answered no: its status, and its problem as JSON. */
    public static final class Refused extends IOException {
        public final int status;
        public final String problem;

        Refused(int status, String problem) {
            super(status + " " + problem);
            this.status = status;
            this.problem = problem;
        }
    }

    private static final Set<Integer> TRY_AGAIN = Set.of(408, 429, 502, 503, 504);
    private static final int MOST_EVENTS = 1000; // in one batch

    private final String address;
    private final String key;
    private final Duration timeout;
    private final Duration patience;
    private final HttpClient http =
        HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(5)).build();

    public Zhenxue(String address, String key) {
        this(address, key, Duration.ofSeconds(30), Duration.ofMinutes(5));
    }

    public Zhenxue(String address, String key, Duration timeout, Duration patience) {
        this.address = address;
        this.key = key;
        this.timeout = timeout;
        this.patience = patience;
    }

    /**
     * Any operation of /openapi.json.
     *
     * @throws Refused where the service answers no
     * @throws IOException where nobody answered within the patience; call again, it counts once
     */
    public String call(String method, String path, String json) throws IOException, InterruptedException {
        return call(method, path, json.getBytes(StandardCharsets.UTF_8), "application/json");
    }

    public String call(String method, String path, byte[] body, String contentType)
            throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(URI.create(address + path))
            .timeout(timeout)
            .header("Authorization", "Bearer " + key)
            .header("Content-Type", contentType)
            .method(method, HttpRequest.BodyPublishers.ofByteArray(body))
            .build();
        Instant until = Instant.now().plus(patience);
        for (long wait = 500; ; wait = Math.min(30_000, wait * 2)) {
            long pause = ThreadLocalRandom.current().nextLong(wait / 2, wait);
            String silence;
            try {
                HttpResponse<String> answer = http.send(request, HttpResponse.BodyHandlers.ofString());
                int status = answer.statusCode();
                if (status / 100 == 2) {
                    return answer.body();
                }
                if (!TRY_AGAIN.contains(status)) {
                    throw new Refused(status, answer.body());
                }
                silence = status + " " + answer.body();
                pause = answer.headers().firstValue("retry-after").filter(it -> it.matches("\\d{1,5}"))
                    .map(it -> Long.parseLong(it) * 1000).orElse(pause);
            } catch (Refused refused) {
                throw refused;
            } catch (IOException error) {
                silence = error.toString();
            }
            if (Instant.now().plusMillis(pause).isAfter(until)) {
                throw new InterruptedIOException(method + " " + path + ": " + silence);
            }
            Thread.sleep(pause);
        }
    }

    /**
     * Open a sitting, or renew the open one of that id. {@code terms}: the fields of POST /v1/sessions,
     * as a JSON object with session_id, learner_id, class_id, lesson_id, device_id and window_id.
     */
    public Sitting open(String sessionId, String terms) throws IOException, InterruptedException {
        return new Sitting(sessionId, call("POST", "/v1/sessions", terms));
    }

    /**
     * Events of any number of sittings, each a JSON object with its session_id and without seq. Under
     * the same batchId the same events count once.
     *
     * @return the answers, one for each thousand
     */
    public List<String> forward(String batchId, List<String> events) throws IOException, InterruptedException {
        List<String> answers = new ArrayList<>();
        for (int at = 0; at < events.size(); at += MOST_EVENTS) {
            List<String> part = events.subList(at, Math.min(events.size(), at + MOST_EVENTS));
            String name = at == 0 ? batchId : batchId + "/" + at / MOST_EVENTS;
            answers.add(call("POST", "/v1/events", batch(name, part)));
        }
        return answers;
    }

    /** State, credited intervals, controls, and the verdict once there is one. */
    public String sitting(String sessionId) throws IOException, InterruptedException {
        return call("GET", "/v1/sessions/" + encoded(sessionId), "");
    }

    /** An open sitting; not for several threads at once. */
    public final class Sitting {
        public final String sessionId;
        /** The answer that opened it: its lease for a browser, resume_position, controls. */
        public final String opened;
        private final String path;
        private final List<String> waiting = new ArrayList<>();
        private List<String> sent = List.of(); // named, not acknowledged
        private String name;

        private Sitting(String sessionId, String opened) {
            this.sessionId = sessionId;
            this.opened = opened;
            this.path = "/v1/sessions/" + encoded(sessionId);
        }

        /** Keep an event, a JSON object without seq, for the next flush. */
        public void add(String event) {
            waiting.add(event);
        }

        /**
         * Send what waits. What was not acknowledged stays, and goes with the next flush under the
         * same name.
         *
         * @return the answers, each with accepted, duplicates, rejected and the controls that are due
         * @throws Refused where the sitting takes no more; these events are given up
         */
        public List<String> flush() throws IOException, InterruptedException {
            List<String> answers = new ArrayList<>();
            while (!sent.isEmpty() || !waiting.isEmpty()) {
                if (sent.isEmpty()) {
                    List<String> first = waiting.subList(0, Math.min(MOST_EVENTS, waiting.size()));
                    sent = List.copyOf(first);
                    first.clear();
                    name = UUID.randomUUID().toString();
                }
                try {
                    answers.add(call("POST", path + "/events", batch(name, sent)));
                } catch (Refused refused) {
                    if (refused.status != 401 && refused.status != 403) { // another key, and they go
                        sent = List.of();
                    }
                    throw refused;
                }
                sent = List.of();
            }
            return answers;
        }

        /** What the platform asked for itself, in a class with "controls": "platform". */
        public String reportControls(String controls) throws IOException, InterruptedException {
            return call("POST", path + "/controls", controls);
        }

        /** A photo; query: purpose, taken_at_ms, and challenge_id and frame of whoever asked. */
        public String photo(String snapshotId, byte[] picture, String contentType, String query)
                throws IOException, InterruptedException {
            return call("PUT", path + "/snapshots/" + encoded(snapshotId) + "?" + query, picture, contentType);
        }

        /** Send what waits, and end the sitting; closing twice changes nothing. */
        public void close() throws IOException, InterruptedException {
            flush();
            call("POST", path + "/close", "{\"reason\":\"closed\"}");
        }
    }

    /**
     * Whether this service signed a webhook, with one of the secrets, within five minutes of now. While
     * a secret is exchanged give the new and the former one. The same id again is the same message again.
     */
    public static boolean signed(
            String id, String timestamp, String signatures, byte[] body, Instant now, String... secrets) {
        if (id == null || timestamp == null || signatures == null || !timestamp.matches("\\d{1,12}")
                || Math.abs(now.getEpochSecond() - Long.parseLong(timestamp)) > 300) {
            return false;
        }
        boolean found = false;
        for (String secret : secrets) {
            byte[] due = ("v1," + Base64.getEncoder().encodeToString(mac(secret, id, timestamp, body)))
                .getBytes(StandardCharsets.UTF_8);
            for (String signature : signatures.split(" ")) {
                found |= MessageDigest.isEqual(due, signature.getBytes(StandardCharsets.UTF_8));
            }
        }
        return found;
    }

    private static byte[] mac(String secret, String id, String timestamp, byte[] body) {
        try {
            byte[] key = Base64.getDecoder().decode(secret.replaceFirst("^whsec_", ""));
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(key, "HmacSHA256"));
            mac.update((id + "." + timestamp + ".").getBytes(StandardCharsets.UTF_8));
            return mac.doFinal(body);
        } catch (GeneralSecurityException error) {
            throw new IllegalStateException(error);
        }
    }

    private static String batch(String name, List<String> events) {
        return "{\"batch_id\":\"" + name + "\",\"events\":[" + String.join(",", events) + "]}";
    }

    private static String encoded(String name) {
        return URLEncoder.encode(name, StandardCharsets.UTF_8).replace("+", "%20");
    }
}
