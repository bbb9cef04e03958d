// A whole lesson with the platform's own pop-ups and photos: java Lesson ADDRESS KEY HELP FOLDER
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;

public final class Lesson {
    private static final HttpClient HTTP = HttpClient.newHttpClient();
    private static String[] given;
    private static Zhenxue.Sitting sitting;
    private static long now;

    /** The test's clock goes on, or its face worker takes its turn; the time then. */
    private static void help(String what) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create(given[2] + what))
            .POST(HttpRequest.BodyPublishers.noBody()).build();
        now = Long.parseLong(HTTP.send(request, HttpResponse.BodyHandlers.ofString()).body());
    }

    private static void tell(String type, int position) {
        sitting.add(String.format("{\"type\":\"%s\",\"at_ms\":%d,\"position\":%d,\"rate\":1,"
            + "\"visible\":true,\"focused\":true}", type, now, position));
    }

    private static void photo(String name, String control, String purpose) throws Exception {
        sitting.reportControls(String.format("{\"controls\":[{\"control\":\"%s\",\"challenge_id\":\"%s\","
            + "\"issued_at_ms\":%d}]}", control, name, now));
        sitting.photo(name, Files.readAllBytes(Path.of(given[3], name + ".jpg")), "image/jpeg",
            "purpose=" + purpose + "&challenge_id=" + name + "&taken_at_ms=" + now);
    }

    public static void main(String[] arguments) throws Exception {
        given = arguments;
        help("/clock?seconds=0");
        sitting = new Zhenxue(given[0], given[1]).open("lesson-1", "{\"session_id\":\"lesson-1\","
            + "\"learner_id\":\"lin\",\"class_id\":\"c1\",\"lesson_id\":\"l1\",\"device_id\":\"phone\",\"window_id\":\"tab\"}");
        photo("face-1", "face_check", "start");
        for (int beat = 0; beat <= 270; beat++) {
            int position = beat * 10;
            tell("progress", position);
            if (beat % 24 == 23) {
                tell("pause", position);
                sitting.flush();
                long shown = now;
                help("/clock?seconds=6");
                sitting.reportControls(String.format("{\"controls\":[{\"control\":\"popup\",\"challenge_id\":\"p%d\","
                    + "\"issued_at_ms\":%d,\"shown_at_ms\":%d,\"answered_at_ms\":%d}]}", beat, shown, shown, now));
                tell("play", position);
            }
            if (beat == 100) {
                photo("random-1", "snapshot", "random");
            }
            if (beat == 150) {
                photo("face-2", "face_check", "challenge");
            }
            sitting.flush();
            help("/clock?seconds=10");
        }
        tell("pause", 2700);
        help("/faces");
        sitting.close();
        System.out.println(sitting.sessionId);
    }
}
