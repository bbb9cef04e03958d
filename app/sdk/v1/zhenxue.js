import { clockPace } from "./clock.js";
import { Screen } from "./dialog.js";
import { focus } from "./focus.js";
import { frames } from "./frames.js";
import { Heartbeat } from "./heartbeat.js";
import { lease } from "./lease.js";
import { Media } from "./media.js";
import * as native from "./native.js";
import { deliver, Outbox } from "./outbox.js";
import { Player } from "./player.js";
import { Popup } from "./popup.js";
import { RecordBook } from "./record.js";
import { Scope } from "./scope.js";
import { en, zh } from "./texts.js";
import { Turn } from "./turn.js";
import { visibility } from "./visibility.js";
import { backOff, later, toSitting } from "./wire.js";

export const VERSION = "1.1.0";

const HERE = new URL(import.meta.url).origin;
const QUIET_MS = 15_000; // an outage this short is not worth a word
const RIVAL_S = 20;
const MOST_RENEWALS = 3;
const LOOK_MS = 250;
const GONE_MS = 10_000; // without a player; then the page has left the lesson
const OTHER_SITTING = ["session_closed", "session_exists"];

/**
 * @typedef {object} Options
 * @property {HTMLMediaElement | Element | string | (() => Element | null)} video
 *   what is studied: the media element, what holds it, or a selector or function that finds it
 * @property {string} lesson            the lesson, as your server calls it
 * @property {string | ((terms: object) => Promise<Response>)} lease
 *   address on your own server that opens the sitting, or a function that asks it
 * @property {string} [service]         where the service is; by default where this module came from
 * @property {"zh" | "en"} [language]   Chinese by default
 * @property {object} [texts]           sentences of your own, by their names in texts.js
 * @property {boolean} [resume]         go on where the learner left off (default true)
 * @property {boolean} [hold]           no play before the sitting is open or after it stopped (default true)
 * @property {boolean} [pauseWhenHidden]  hidden play earns nothing, so pause (default true)
 * @property {boolean} [blockAhead]  no jump beyond what was played; one that is tried is told as blocked (default false)
 * @property {boolean} [notices]        show why the sitting does not open or was stopped (default true)
 * @property {(name: string, detail: object) => void} [on]
 *   told of: waiting, opening, open, refused, stopped, noted, offline, online, answered, asked, photo, camera_refused, over
 */

/**
 * Report one lesson to the service, from now until `stop()`.
 *
 * @param {Options} options
 */
export function start(options) {
  const all = { resume: true, hold: true, pauseWhenHidden: true, notices: true, service: HERE, language: "zh", ...options };
  let told = new Scope(); // that nothing can be heard
  const begin = (it) => {
    told.close();
    return new Sitting(all, it);
  };
  const turn = new Turn(all.video, begin, (detail = {}) => {
    all.on?.("waiting", detail);
    if (!detail.code || !all.notices) return;
    told = new Scope();
    new Screen(told, all.language).notice(textsOf(all)[detail.code]);
  });
  return {
    /** Undo everything; by default the sitting is closed too. Resolves when that was sent. */
    stop: (how) => {
      told.close();
      return turn.stop(how);
    },
    /** waiting, opening, open, refused, stopped or over */
    get state() {
      return turn.state;
    },
    get session() {
      return turn.sitting?.book.kept?.session ?? null;
    },
    /** Events that the service has not acknowledged, oldest first. */
    get queue() {
      return (turn.sitting?.book.kept?.queue ?? []).map((event) => ({ ...event }));
    },
  };
}

const textsOf = ({ language, texts }) => ({ ...(language === "en" ? en : zh), ...texts });

class Sitting {
  /**
   * @param {Options} options
   * @param {Turn} turn  which finds the media element
   */
  constructor(options, turn) {
    this.options = options;
    this.texts = textsOf(options);
    this.service = this.options.service.replace(/\/+$/, "");
    this.state = "new";
    this.renewals = 0;
    this.scope = new Scope();
    this.media = new Media(this.scope, turn.find);
    this.turn = turn;
    this.screen = new Screen(this.scope, this.options.language);
    this.book = new RecordBook(this.scope);
    this.report = (type, fields) => this.state === "open" && this.outbox.add(type, fields);
    this.media.listen("play", this.#still);
    this.scope.every(LOOK_MS, () => this.#follow());
    this.#still();
    this.#begin();
  }

  async #begin() {
    await this.book.open();
    if (this.state === "over") return;
    const { scope, screen, texts, book, report } = this;
    this.outbox = new Outbox(scope, book, {
      answered: (body) => this.#answered(body),
      gone: (status, code) => this.#gone(status, code),
      online: (yes) => this.#online(yes),
    });
    this.player = new Player(this.media, report, this.options.blockAhead);
    this.popup = new Popup(scope, screen, texts, this.player, {
      report,
      flush: () => this.outbox.flush(),
      shown: () => this.#pause("asked"),
      expired: () => this.#pause("unanswered"),
      answered: () => {
        this.input?.answered();
        this.#unpause("asked", "unanswered");
      },
    });
    this.heart = new Heartbeat(scope, this.player, report);
    this.looks = [
      visibility(scope, this.player, report, (visible) => this.#seen(visible)),
      focus(scope, this.player, report),
      frames(scope, this.player, report),
      clockPace(report),
    ];
    scope.listen(window, "pagehide", () => this.#leave());
    scope.listen(document, "freeze", () => this.#leave());
    scope.listen(document, "resume", () => this.#beat());
    scope.listen(window, "pageshow", () => this.#beat());
    book.leftovers(async (kept) => (await deliver(kept)).over);
    await this.#open();
  }

  // ---------------------------------------------------------------- opening

  /** @param {boolean} [anew]  in a sitting of its own, whatever became of the last */
  async #open(anew = false) {
    this.#enter("opening");
    this.outbox.paused = true;
    for (let n = 0; !(await this.#deliverFirst(anew)); n += 1) {
      this.#online(false);
      await new Promise((over) => this.scope.after(backOff(n), over));
      if (this.state !== "opening") return;
    }
    for (let n = 0; this.state === "opening"; n += 1) {
      const { status, body, retry_s } = await lease(this.options.lease, this.#terms());
      if (this.state !== "opening") {
        if (body?.lease) this.#close({ service: this.service, session: body.session_id, token: body.lease.token });
        return;
      }
      if (body?.lease) this.#opened(body);
      else if (status === 409 && this.book.kept.session && OTHER_SITTING.includes(body?.code)) this.book.forget();
      else if (later(status)) {
        this.#online(false);
        await new Promise((over) => this.scope.after(backOff(n, retry_s), over));
      } else this.#refused(status, body ?? {}, retry_s);
    }
  }

  /** What waits belongs to the sitting that it was noted in, and may still wake that one up; until
   * it is there (answered: true), no other sitting takes its place. */
  async #deliverFirst(anew) {
    const { kept } = this.book;
    const other = anew || (kept.session && (kept.lesson !== this.options.lesson || kept.service !== this.service));
    if (kept.token && kept.queue.length) {
      const { over, lost } = await deliver(kept);
      if (!over) return !other;
      kept.queue = [];
      kept.lost += lost;
      this.book.save();
    }
    if (other) this.book.forget();
    return true;
  }

  #terms() {
    const { kept, device, window } = this.book;
    return {
      ...(kept.session && { session_id: kept.session }),
      lesson_id: this.options.lesson,
      device_id: device,
      window_id: window,
      client: { user_agent: navigator.userAgent.slice(0, 500), sdk_version: VERSION, face_actions: ["nearer", "farther"], questions: true },
      started_at_ms: native.date(),
    };
  }

  #opened({ session_id, lease: { token, heartbeat_s, idle_limit_s }, resume_position, next_seq, controls }) {
    const { kept } = this.book;
    const position = kept.session === session_id ? (kept.position ?? resume_position) : resume_position;
    Object.assign(kept, { session: session_id, token, service: this.service, lesson: this.options.lesson });
    kept.seq = Math.max(kept.seq, next_seq ?? 0);
    this.book.save();
    this.#online(true);
    this.player.reached = Math.max(this.player.reached, kept.reached);
    if (this.options.resume) this.player.moveTo(position);
    this.#enter("open", { session: session_id, position });
    this.outbox.paused = false;
    this.heart.pace(heartbeat_s, () => this.#beat());
    if (idle_limit_s) this.#watchInput(session_id, idle_limit_s);
    this.#beat();
    this.#release();
    this.#controls(controls ?? {});
  }

  #refused(status, body, retry_s) {
    const code = body.code ?? "refused";
    this.#online(true);
    this.#enter("refused", { status, code, body });
    const { language } = this.options;
    const own = language === "zh" && code === "lesson_locked" ? body.detail : body.reason?.[language];
    this.#explain(own ?? this.texts[code] ?? this.texts.refused, () => this.#open());
    if (code === "concurrent_session") {
      this.scope.after((retry_s ?? RIVAL_S) * 1000, () => this.state === "refused" && this.#open());
    }
  }

  // ---------------------------------------------------------------- while it is open

  #beat() {
    if (this.state !== "open") return;
    for (const look of this.looks) look();
    this.input?.look();
    this.heart.beat();
    this.#remember();
    this.outbox.flush();
  }

  #remember() {
    this.book.kept.position = this.player.position();
    this.book.kept.reached = this.player.reached;
  }

  #answered(body) {
    this.renewals = 0;
    this.#tell("answered", { next_seq: body.next_seq, rejected: body.rejected ?? [] });
    if (this.state === "open") this.#controls(body.controls ?? {});
  }

  #controls(controls) {
    if (controls.stop) {
      this.#stopped(controls.stop);
      return;
    }
    if (controls.popup || controls.snapshot || controls.face_check) this.#tell("asked", controls);
    this.#note(controls.note);
    this.popup.demand(controls.popup);
    this.#unpause("asked"); // answered in another place
    if (this.camera || controls.snapshot || controls.face_check) this.#look(controls);
  }

  /** Why the time does not count, while it does not. */
  #note(note) {
    if (note?.code === this.noted) return;
    this.noted = note?.code;
    this.closeNoted?.();
    this.closeNoted = undefined;
    if (!note) return;
    this.#tell("noted", note);
    if (this.options.notices) this.closeNoted = this.screen.notice(note[this.options.language]);
  }

  /** Whether somebody is there: loaded, and told, only where the class has an idle limit. */
  async #watchInput(session, limit_s) {
    try {
      const { Input } = await import("./input.js");
      if (this.state !== "open") return;
      this.input ??= new Input(this);
      this.input.begin(session, limit_s);
    } catch {
      this.report("error", { code: "input_unavailable", detail: "not loaded" });
    }
  }

  /** The camera's part is loaded when a photo is asked for. */
  async #look(controls) {
    const { scope, screen, texts, book, report } = this;
    try {
      const { Camera } = await import("./camera.js");
      if (this.state !== "open") return;
      const taken = (purpose, stored) => this.#tell("photo", { purpose, stored });
      const refused = () => {
        report("error", { code: "camera_refused" });
        this.#tell("camera_refused", {});
      };
      const asks = (yes) => (yes ? this.#pause("asked") : this.#unpause("asked"));
      this.camera ??= new Camera(scope, screen, texts, book, { report, taken, refused, asks });
      this.camera.demand(controls);
    } catch {
      report("error", { code: "camera_unavailable", detail: "not loaded" });
    }
  }

  /** This sitting is over; one that silence ended goes on in another by itself. */
  #stopped({ code, text }) {
    if (code === "expired") return void this.#open(true);
    this.#enter("stopped", { code });
    this.#explain(this.texts[code] ?? text, () => this.#open(true));
  }

  /** The lease is over, or the sitting: renewing it tells which. */
  #gone(status, code) {
    if (this.state !== "open") return;
    this.renewals += 1;
    if (this.renewals > MOST_RENEWALS) this.#refused(status, { code }, null);
    else this.#open();
  }

  #seen(visible) {
    if (this.options.pauseWhenHidden) {
      if (visible) this.#unpause("hidden");
      else this.#pause("hidden");
    }
    if (!visible) this.outbox.farewell();
  }

  #leave() {
    if (this.state !== "open") return undefined;
    this.heart.beat();
    this.#remember();
    this.book.save();
    return this.outbox.farewell();
  }

  #online(yes) {
    if (yes === !this.offline) return;
    this.offline?.();
    this.offline = undefined;
    this.#tell(yes ? "online" : "offline", {});
    if (yes) return;
    const scope = this.scope.inner();
    scope.after(QUIET_MS, () => this.options.notices && scope.add(this.screen.notice(this.texts.offline)));
    this.offline = scope.end;
  }

  // ---------------------------------------------------------------- the player

  /** A player may put another element in the place of the last, or take it away. */
  #follow() {
    if (this.media.look()) this.gone_ms = undefined;
    else {
      this.gone_ms ??= native.monotonic();
      if (native.monotonic() - this.gone_ms >= GONE_MS) this.turn.rest("player_gone");
    }
  }

  /** Keep the player still while no sitting is open or a dialog is; what was wanted is done then. */
  #still = () => {
    if (native.paused(this.media.element)) return;
    const asked = this.#asked(); // not even a key for media goes on
    this.pausedFor = asked ? "asked" : undefined;
    if (!asked && (!this.options.hold || this.state === "open" || this.state === "over")) return;
    native.pause(this.media.element);
    this.wanted ||= !asked;
  };

  /** Another lesson's turn: this one plays no more, whatever it wanted. */
  still() {
    this.wanted = false;
    if (!native.paused(this.media.element)) native.pause(this.media.element);
  }

  /** Whether a dialog waits for the learner. */
  get asking() {
    return this.#asked();
  }

  #asked() {
    return this.state === "open" && (this.popup.open || this.camera?.asking);
  }

  #release() {
    if (this.wanted) this.#play();
    this.wanted = false;
  }

  #pause(why) {
    if (!native.paused(this.media.element)) native.pause(this.media.element);
    else if (this.pausedFor !== "asked" || why !== "unanswered") return; // the learner's own pause
    this.pausedFor = why;
  }

  #unpause(...whys) {
    if (!whys.includes(this.pausedFor) || this.#asked()) return;
    this.pausedFor = undefined;
    if (this.state === "open") this.#play();
  }

  #play() {
    native.play(this.media.element)?.catch(() => {}); // the browser wants a click first: the learner sees the button
  }

  // ---------------------------------------------------------------- the rest

  #enter(state, detail = {}) {
    this.state = state;
    if (state !== "open") {
      this.popup?.demand(undefined);
      this.input?.say(false);
      this.#note(undefined);
    }
    this.closeNote?.();
    this.closeNote = undefined;
    this.#still();
    this.#tell(state, detail);
  }

  #explain(text, again) {
    if (!this.options.notices) return;
    const press = (event) => event.isTrusted && again();
    const { close } = this.screen.ask({
      title: this.texts.stopped_title,
      text,
      buttons: [{ label: this.texts.again, press }],
      modal: false,
    });
    this.closeNote = close;
  }

  #tell(name, detail) {
    try {
      this.options.on?.(name, detail);
    } catch (error) {
      native.after(() => {
        throw error; // the page's own mistake: shown on its console, and nothing here stops for it
      }, 0);
    }
  }

  async stop({ close = true, reason } = {}) {
    if (this.state === "over") return;
    const sent = this.#leave();
    const { kept } = this.book;
    this.#enter("over");
    this.#release();
    this.book.leave();
    this.scope.close();
    await sent;
    if (!close || !kept?.token) return;
    // What cannot be sent yet stays with an open sitting: a closed one takes it for minutes only.
    if (kept.queue.length && !(await deliver(kept)).over) return;
    const { status } = await this.#close(kept, reason);
    if (status === 202) this.book.drop();
  }

  #close(kept, reason = "left") {
    const body = native.encode({ reason });
    return toSitting(kept, "close", "POST", "application/json", body, { keepalive: true });
  }
}
