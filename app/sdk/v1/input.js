import * as native from "./native.js";

const KINDS = ["pointerdown", "pointermove", "keydown", "wheel", "touchstart"];
const LEAST_MS = 30_000;
const HEARD = { capture: true, passive: true }; // whatever the page does with it

/**
 * `integrity` of code `input`: keyboard, pointer or touch were used since it was last said, twice a
 * minute at most. Never which key, nor where. Loaded only where the class has an idle limit.
 */
export class Input {
  /** @param {{scope: import("./scope.js").Scope, player: object, report: Function, screen: object, texts: object, options: object}} sitting */
  constructor(sitting) {
    this.sitting = sitting;
    for (const kind of KINDS) sitting.scope.listen(window, kind, () => this.#used(), false, HEARD);
  }

  /** A sitting begins, or the same goes on. */
  begin(session, limit_s) {
    this.limit_s = limit_s;
    if (session === this.session) return;
    this.session = session;
    this.last = this.told = native.monotonic();
    this.fresh = false;
    this.sitting.report("integrity", { code: "input_watched", value: true });
  }

  /** An answer that the service counts is somebody too. */
  answered() {
    this.last = native.monotonic();
    this.say(false);
  }

  #used() {
    this.fresh = true;
    this.answered();
  }

  /** At each heartbeat. */
  look() {
    const now = native.monotonic();
    if (this.fresh && now - this.told >= LEAST_MS) {
      this.fresh = false;
      this.told = now;
      this.sitting.report("integrity", { code: "input", value: true });
    }
    if (this.sitting.player.playing && now - this.last >= this.limit_s * 1000) this.say(true);
  }

  /** That nobody seems to be there and the time will not count, until somebody is. */
  say(idle) {
    if (idle === Boolean(this.close)) return;
    this.close?.();
    this.close = undefined;
    const { screen, texts, options } = this.sitting;
    if (idle && options.notices) this.close = screen.notice(texts.idle(Math.round(this.limit_s / 60)));
  }
}
