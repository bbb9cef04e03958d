import * as native from "./native.js";

const BEATS = 2;

/**
 * The observation that the page plays and calls itself visible, and the browser draws nothing. A
 * frame is asked for at each beat.
 */
export function frames(scope, player, report) {
  if (window !== top) return () => {}; // a frame that is scrolled out of view is not drawn either
  let drawn = true;
  let waiting = 0;
  let missed = 0;
  scope.add(() => native.cancelFrame(waiting));
  return () => {
    const shown = player.playing && !native.isHidden();
    missed = shown && !drawn ? missed + 1 : 0;
    if (missed === BEATS) report("integrity", { code: "no_frames", value: 0 });
    native.cancelFrame(waiting);
    drawn = !shown; // nothing is expected of a page that is not shown
    if (shown) waiting = native.frame(() => (drawn = true));
  };
}
