import * as native from "./native.js";

const NEAR_S = 0.05;
const UPDATED_S = 1; // two updates of a player that runs are no further apart
const ARRIVED_S = 1; // as exactly as players go on where they were, in another element or source

/** play, pause, waiting, playing, ended, seek, rate, and the player's own errors. */
export class Player {
  /**
   * @param {import("./media.js").Media} media
   * @param {(type: string, fields?: object) => void} report
   * @param {boolean} blockAhead  let nobody jump beyond what was played
   */
  constructor(media, report, blockAhead = false) {
    this.media = media;
    this.report = report;
    this.reached = 0;
    this.#stands(native.position(media.element));
    this.origin = null; // where a jump that is under way began
    this.arriving = false; // another element took the place of the last and is not yet where that was
    this.played = this.playing;
    media.replaced = (last) => {
      if (!this.arriving && !native.seeking(last) && native.ready(last) > 0) this.last = native.position(last);
      this.#anew();
    };
    media.listen("emptied", () => this.#anew()); // another source, as for another quality
    for (const type of ["play", "pause", "waiting", "playing", "ended"]) {
      media.listen(type, () => {
        this.settle(this.arriving && type === "playing" && !native.seeking(this.video));
        this.played = !native.paused(this.video);
        if (!this.#away) this.#stands(native.position(this.video));
        const duration = native.duration(this.video);
        report(type, { position: this.position(), ...(duration < 1e5 && { duration }) });
      });
    }
    media.listen("timeupdate", () => {
      if (this.#away) return;
      this.#stands(native.position(this.video));
      this.reached = Math.max(this.reached, this.last);
    });
    media.listen("seeking", () => {
      if (!blockAhead || !this.#bar()) this.origin ??= this.#leaves(native.position(this.video));
    });
    media.listen("seeked", () => this.settle(true));
    media.listen("ratechange", () => {
      report("rate", { rate: native.rate(this.video), position: this.position() });
    });
    media.listen("error", () => {
      const { code, message } = native.mediaError(this.video) ?? {};
      report("error", { code: "media_error", detail: `${code} ${message}`.slice(0, 500) });
    });
  }

  get video() {
    return this.media.element;
  }

  /** Seconds, to the millisecond. */
  position() {
    const known = !this.arriving && !this.#empty;
    return Math.round((known ? native.position(this.video) : this.last) * 1000) / 1000;
  }

  /** Its source was taken away, also before `emptied` tells of it: zero is no position then. */
  get #empty() {
    return native.ready(this.video) === 0;
  }

  /** Its position is not what was played. */
  get #away() {
    return this.arriving || this.#empty || this.origin !== null || native.seeking(this.video);
  }

  /** It is there now, and runs on from there or does not. */
  #stands(at) {
    this.last = at;
    this.since = native.monotonic();
    this.pace = this.playing ? native.rate(this.video) : 0;
  }

  /** Whether it would be there by itself: players seek to where they are, to empty their buffer. */
  #runsTo(to) {
    const passed = Math.min((native.monotonic() - this.since) / 1000, UPDATED_S);
    return to >= this.last - NEAR_S && to <= this.last + passed * this.pace + NEAR_S;
  }

  /** Where a jump to there begins. */
  #leaves(to) {
    return this.#runsTo(to) ? to : this.last;
  }

  /** Go on from there; not a jump of the learner's. */
  moveTo(seconds) {
    if (Math.abs(native.position(this.video) - seconds) > NEAR_S) native.moveTo(this.video, seconds);
    this.arriving = false;
    this.origin = null;
    this.#stands(seconds);
    this.reached = Math.max(this.reached, seconds);
  }

  /** Another element or source: it is where the last one was until it has been moved or plays. */
  #anew() {
    if (this.played) this.report("pause", { position: Math.round(this.last * 1000) / 1000 });
    this.played = false;
    this.origin = this.last;
    this.pace = 0;
    this.arriving = true;
    if (!this.playing) return;
    this.settle(true); // it was begun before it was found
    this.played = true;
    this.report("playing", { position: this.position() });
  }

  #bar() {
    const to = this.position();
    if (to <= this.reached + NEAR_S || this.#runsTo(to)) return false;
    this.report("seek", { from: Math.round(this.last * 1000) / 1000, to, blocked: true });
    native.moveTo(this.video, this.last);
    return true;
  }

  get playing() {
    return !native.paused(this.video) && !native.seeking(this.video) && native.ready(this.video) > 2;
  }

  /** A jump is told before anything that happens after it. */
  settle(landed = false) {
    if (!landed && (this.arriving || !native.seeking(this.video))) return;
    const near = this.arriving ? ARRIVED_S : NEAR_S;
    this.arriving = false;
    const to = this.position();
    const from = Math.round((this.origin ?? this.#leaves(to)) * 1000) / 1000;
    this.origin = landed ? null : to;
    this.#stands(to);
    if (Math.abs(to - from) > near) this.report("seek", { from, to });
  }
}
