// A whole sitting over a bad road, and webhooks: java Play ADDRESS KEY AT_MS CLOCK PICTURE WEBHOOKS
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;

public final class Play {
    public static void main(String[] given) throws Exception {
        long at = Long.parseLong(given[2]);
        Zhenxue zhenxue = new Zhenxue(given[0], given[1], Duration.ofSeconds(1), Duration.ofMinutes(2));
        Zhenxue.Sitting sitting = zhenxue.open("java-1", "{\"session_id\":\"java-1\",\"learner_id\":\"lin\","
            + "\"class_id\":\"c1\",\"lesson_id\":\"l1\",\"device_id\":\"phone\",\"window_id\":\"tab\"}");
        for (int beat = 0; beat < 13; beat++) {
            sitting.add(String.format("{\"type\":\"progress\",\"at_ms\":%d,\"position\":%d,\"rate\":1,"
                + "\"visible\":true,\"focused\":true}", at, beat * 10));
            if (beat % 2 == 1) {
                sitting.flush();
            }
            at += 10_000;
            HttpClient.newHttpClient().send(HttpRequest.newBuilder(URI.create(given[3] + "?seconds=10"))
                .POST(HttpRequest.BodyPublishers.noBody()).build(), HttpResponse.BodyHandlers.discarding());
        }
        sitting.reportControls(String.format("{\"controls\":[{\"control\":\"popup\",\"challenge_id\":\"p1\","
            + "\"issued_at_ms\":%d,\"shown_at_ms\":%d,\"answered_at_ms\":%d},{\"control\":\"snapshot\","
            + "\"challenge_id\":\"f1\",\"issued_at_ms\":%d}]}", at - 20_000, at - 20_000, at - 15_000, at - 9_000));
        sitting.photo("one", Files.readAllBytes(Path.of(given[4])), "image/png",
            "purpose=random&challenge_id=f1&taken_at_ms=" + at);
        sitting.add("{\"type\":\"pause\",\"at_ms\":" + at + ",\"position\":120}");
        sitting.close();
        System.out.println(sitting.sessionId);
        for (String line : Files.readAllLines(Path.of(given[5]))) { // now, id, time, signatures, body, secrets
            String[] it = line.split("\t");
            System.out.println(Zhenxue.signed(it[1], it[2], it[3], it[4].getBytes(StandardCharsets.UTF_8),
                Instant.ofEpochSecond(Long.parseLong(it[0])), Arrays.copyOfRange(it, 5, it.length)));
        }
    }
}
