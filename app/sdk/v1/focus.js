import * as native from "./native.js";

/** `focus`: whether the keyboard is with this page; a dialog of its own counts as the page. */
export function focus(scope, player, report) {
  let focused = native.hasFocus();
  const look = () => {
    const now = native.hasFocus();
    if (now !== focused) report("focus", { focused: now, position: player.position() });
    focused = now;
  };
  scope.listen(window, "focus", look);
  scope.listen(window, "blur", look);
  return look;
}
