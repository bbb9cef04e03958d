import * as native from "./native.js";

const NEAR_S = 0.05;

/** play, pause, waiting, playing, ended, seek, rate, and the player's own errors. */
export class Player {
  /**
   * @param {import("./scope.js").Scope} scope
   * @param {HTMLMediaElement} video
   * @param {(type: string, fields?: object) => void} report
   */
  constructor(scope, video, report) {
    this.video = video;
    this.report = report;
    this.last = native.position(video); // where content was before a jump
    for (const type of ["play", "pause", "waiting", "playing", "ended"]) {
      scope.listen(video, type, () => {
        this.settle();
        report(type, { position: this.position() });
      });
    }
    scope.listen(video, "timeupdate", () => {
      if (!native.seeking(video)) this.last = native.position(video);
    });
    scope.listen(video, "seeked", () => this.settle(true));
    scope.listen(video, "ratechange", () => {
      report("rate", { rate: native.rate(video), position: this.position() });
    });
    scope.listen(video, "error", () => {
      const { code, message } = native.mediaError(video) ?? {};
      report("error", { code: "media_error", detail: `${code} ${message}`.slice(0, 500) });
    });
  }

  /** Seconds, to the millisecond. */
  position() {
    return Math.round(native.position(this.video) * 1000) / 1000;
  }

  /** Go on from there; not a jump of the learner's. */
  moveTo(seconds) {
    if (Math.abs(native.position(this.video) - seconds) > NEAR_S) native.moveTo(this.video, seconds);
    this.last = seconds;
  }

  get playing() {
    return !native.paused(this.video) && !native.seeking(this.video) && native.ready(this.video) > 2;
  }

  /** A jump is told before anything that happens after it. */
  settle(landed = false) {
    if (!landed && !native.seeking(this.video)) return;
    const to = this.position();
    const from = Math.round(this.last * 1000) / 1000;
    this.last = to;
    if (Math.abs(to - from) > NEAR_S) this.report("seek", { from, to });
  }
}
