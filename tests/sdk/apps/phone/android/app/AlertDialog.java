package android.app;

public class AlertDialog {
    public interface OnClick {
        void onClick(AlertDialog dialog, int which);
    }

    private boolean dismissed;

    public void dismiss() {
        dismissed = true;
    }

    public static class Builder {
        private String title = "";
        private OnClick first;

        public Builder(Activity activity) {}

        public Builder setTitle(CharSequence text) {
            title = text.toString();
            return this;
        }

        public Builder setMessage(CharSequence text) {
            return this;
        }

        public Builder setCancelable(boolean yes) {
            return this;
        }

        public Builder setPositiveButton(CharSequence text, OnClick press) {
            first = press;
            return this;
        }

        public Builder setNegativeButton(CharSequence text, OnClick press) {
            return this;
        }

        public Builder setItems(CharSequence[] items, OnClick press) {
            first = press;
            return this;
        }

        /** The first button is pressed after some seconds, if it is still there. */
        public AlertDialog show() {
            AlertDialog shown = new AlertDialog();
            Runs.PRESSED.accept(title, () -> {
                if (!shown.dismissed) first.onClick(shown, 0);
            });
            return shown;
        }
    }
}
