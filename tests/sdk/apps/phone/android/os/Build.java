package android.os;

public class Build {
    public static class VERSION {
        public static final String RELEASE = "14";
    }
}
