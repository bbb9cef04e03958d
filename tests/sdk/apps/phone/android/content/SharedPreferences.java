package android.content;

import java.util.HashMap;
import java.util.Map;
import org.json.JSONException;
import org.json.JSONObject;

public class SharedPreferences {
    public static final Map<String, String> KEPT = new HashMap<>();
    public static final Map<String, Long> NOTED = new HashMap<>(); // session: how many events

    public String getString(String name, String otherwise) {
        return KEPT.getOrDefault(name, otherwise);
    }

    public Editor edit() {
        return new Editor();
    }

    public static class Editor {
        public Editor putString(String name, String text) {
            KEPT.put(name, text);
            if (name.equals("zhenxue:sitting") && !text.isEmpty()) note(text);
            return this;
        }

        public void apply() {}

        private static void note(String text) {
            try {
                JSONObject kept = new JSONObject(text);
                String session = kept.optString("session");
                if (!session.isEmpty()) NOTED.put(session, kept.getLong("seq"));
            } catch (JSONException error) {
                throw new IllegalStateException(text, error);
            }
        }
    }
}
