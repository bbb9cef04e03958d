import * as native from "./native.js";

const BEATS = 2;

/**
 * The observation that the page plays and calls itself visible, and the browser draws nothing. One
 * frame is asked for at each beat: cheap, and enough to know.
 */
export function frames(scope, player, report) {
  let drawn = true;
  let waiting = null;
  let missed = 0;
  scope.add(() => waiting !== null && native.cancelFrame(waiting));
  return () => {
    const shown = player.playing && !native.isHidden();
    missed = shown && !drawn ? missed + 1 : 0;
    if (missed === BEATS) report("integrity", { code: "no_frames", value: 0 });
    if (waiting !== null) native.cancelFrame(waiting);
    drawn = !shown; // nothing is expected of a page that is not shown
    waiting = shown
      ? native.frame(() => {
          drawn = true;
          waiting = null;
        })
      : null;
  };
}
