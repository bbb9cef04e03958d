import * as native from "./native.js";

const NEAR_S = 0.05;

/** play, pause, waiting, playing, ended, seek, rate, and the player's own errors. */
export class Player {
  /**
   * @param {import("./scope.js").Scope} scope
   * @param {HTMLMediaElement} video
   * @param {(type: string, fields?: object) => void} report
   * @param {boolean} blockAhead  let nobody jump beyond what was played
   */
  constructor(scope, video, report, blockAhead = false) {
    this.video = video;
    this.report = report;
    this.reached = 0;
    this.last = native.position(video);
    this.origin = null; // where a jump that is under way began
    for (const type of ["play", "pause", "waiting", "playing", "ended"]) {
      scope.listen(video, type, () => {
        this.settle();
        const duration = native.duration(video);
        report(type, { position: this.position(), ...(duration < 1e5 && { duration }) });
      });
    }
    scope.listen(video, "timeupdate", () => {
      if (native.seeking(video) || this.origin !== null) return;
      this.last = native.position(video);
      this.reached = Math.max(this.reached, this.last);
    });
    scope.listen(video, "seeking", () => {
      if (!blockAhead || !this.#bar()) this.origin ??= this.last;
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
    this.reached = Math.max(this.reached, seconds);
  }

  #bar() {
    const to = this.position();
    if (to <= this.reached + NEAR_S) return false;
    this.report("seek", { from: Math.round(this.last * 1000) / 1000, to, blocked: true });
    native.moveTo(this.video, this.last);
    return true;
  }

  get playing() {
    return !native.paused(this.video) && !native.seeking(this.video) && native.ready(this.video) > 2;
  }

  /** A jump is told before anything that happens after it. */
  settle(landed = false) {
    if (!landed && !native.seeking(this.video)) return;
    const to = this.position();
    const from = Math.round((this.origin ?? this.last) * 1000) / 1000;
    this.last = to;
    this.origin = landed ? null : to;
    if (Math.abs(to - from) > NEAR_S) this.report("seek", { from, to });
  }
}
