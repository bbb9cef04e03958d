import * as native from "./native.js";

/**
 * `visibility`, by the browser's own word; and the observation that the page says something else.
 * A script that answers "visible" for the page is common, and changes nothing here.
 */
export function visibility(scope, player, report, changed) {
  let visible = null;
  let disguised = false;
  const look = () => {
    const now = !native.isHidden();
    if (now !== visible) {
      if (visible !== null) report("visibility", { visible: now, position: player.position() });
      visible = now;
      changed(now);
    }
    const hides = !now && document.hidden !== true;
    if (hides && !disguised) report("integrity", { code: "hidden_but_visible", value: true });
    disguised = hides;
  };
  scope.listen(document, "visibilitychange", look);
  scope.listen(window, "pageshow", look);
  return look;
}
