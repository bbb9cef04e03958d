/**
 * A sitting, told to the service by an app: 微信小程序, uni-app, and whatever else runs JavaScript and
 * has no page. Copy this file. It knows no DOM, no `wx` and no `uni`: what it needs is handed to it.
 * In a browser take the SDK instead.
 */

export const VERSION = "1.0.0";

const TICK_MS = 500;
const MOST_TICK_MS = 2_000; // a timer that stood still in the background is no study
const MOST_KEPT = 3_000; // events, eight hours offline; a mini-programme's key holds 1 MB
const AT_ONCE = 200;
const MOST_RENEWALS = 3;
const JUMP_S = 1.5; // nearer than that, players are as inexact themselves
const INPUT_MS = 30_000;
const IN_FLIGHT = 4; // photos on their way at once
const PHOTO_MS = 600_000; // the service takes none that is later
const FRONT = { action: "face_front", ms: 700, photos: 2 };
const ACTION_MS = 2_800;
const READ_MS = 4_000;
const ENDED = ["session_closed", "session_exists"];

const BLANK = {
  session: null, token: null, service: null, lesson: null, seq: 0, queue: [], lost: 0, position: 0, agreed: false,
};

const REAL = {
  now: () => Date.now(),
  elapsed: () => Date.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

/**
 * What is told with `on(name, detail)`:
 *   open {session, position} · refused {status, code, body} · stopped {code, text} · over
 *   popup {question, left_s} · popup_over: show and take away the pop-up; answer it with `answer()`
 *   camera true or false: it is needed from now on, or no more
 *   prompt {action, text}: say it beside the picture of the camera; `null`: the check is done
 *   photos {purpose, stored} · camera_refused · note {code, zh, en} or null · idle true or false
 *   offline · online
 */
export class Sitting {
  /**
   * @param {object} given
   * @param {string} given.service  address of the service
   * @param {string} given.lesson   the lesson, as your server calls it
   * @param {(terms: object) => Promise<{status: number, body: any, retry_s?: number}>} given.open
   *   asks your own server, which adds learner and class and asks `POST /v1/sessions` with its key
   * @param {(it: {method: string, url: string, headers: object, body: string | ArrayBuffer}) =>
   *   Promise<{status: number, body: any, retry_s?: number}>} given.request  status 0: nobody answered
   * @param {{get: (name: string) => string, set: (name: string, text: string) => void}} given.store
   * @param {{play: () => void, pause: () => void}} given.player
   * @param {{agreed: () => Promise<boolean>, photo: () => Promise<ArrayBuffer>}} [given.camera]
   * @param {(name: string, detail: any) => void} [given.on]
   * @param {string} [given.app]  name and version, for whoever looks for a fault
   * @param {typeof REAL} [given.clock]
   */
  constructor(given) {
    Object.assign(this, { clock: REAL, on: () => {}, app: "app", camera: null }, given);
    this.service = this.service.replace(/\/+$/, "");
    this.state = "new";
    this.playing = false;
    this.visible = true;
    this.speed = 1;
    this.failures = this.renewals = this.tries = 0;
    this.retryAt = this.openAt = 0;
    this.done = {};
  }

  /** Open the sitting, or go on with the one that an earlier run of the app left. */
  start() {
    const { store } = this;
    this.device = store.get("zhenxue:device") || `${this.clock.now().toString(36)}-${Math.random().toString(36).slice(2)}`;
    store.set("zhenxue:device", this.device);
    this.kept = { ...BLANK, ...read(store.get("zhenxue:sitting")) };
    this.position = this.kept.lesson === this.lesson ? this.kept.position : 0;
    this.ticked = this.clock.elapsed();
    this.state = "opening";
    this._tick();
  }

  // ------------------------------------------------------------- what the player says

  /** `play`, `pause`, `waiting`, `playing` or `ended`. */
  tell(type) {
    this.playing = type === "play" || type === "playing";
    this.stalled = type === "waiting";
    this.seenAt = this.clock.elapsed();
    if (this.asked && type === "play") this.player.pause();
    this._report(type, { position: this._place(), ...(this.duration && { duration: this.duration }) });
  }

  /** Where it is, as often as the player says so. A jump is told, also one that the player keeps to itself. */
  at(seconds, duration) {
    if (duration) this.duration = duration;
    const now = this.clock.elapsed();
    const passed = this.playing || this.stalled ? ((now - (this.seenAt || now)) / 1000) * this.speed : 0;
    const ahead = seconds - this.position;
    if (ahead > passed + JUMP_S || ahead < -JUMP_S) this._report("seek", { from: this._place(), to: rounded(seconds) });
    if (this.stalled && ahead > 0) this.tell("playing");
    this.position = seconds;
    this.seenAt = now;
  }

  rate(speed) {
    this.speed = speed;
    this._report("rate", { rate: speed, position: this._place() });
  }

  // ------------------------------------------------------------- what the app says

  /** The app went to the background or the screen was locked: what plays now does not count. */
  hide() {
    if (!this.visible) return;
    this.wanted = this.playing;
    this.player.pause();
    this.visible = false;
    this._report("visibility", { visible: false, position: this._place() });
    this._beat();
  }

  show() {
    if (this.visible) return;
    this.visible = true;
    this._report("visibility", { visible: true, position: this._place() });
    this._beat();
    if (this.wanted && this.asked) this.resume = true;
    else if (this.wanted && this.state === "open") this.player.play();
    this.wanted = false;
  }

  /** Somebody touched the screen; told, twice a minute at most, only where the class asks for it. */
  touched() {
    this.lastTouch = this.clock.elapsed();
    this.touchedAnew = true;
    this._idle(false);
  }

  /** The pop-up was answered: `choice` is the number of what was chosen, from 0, where it asks something. */
  answer(choice) {
    if (!this.shown) return;
    const latency_ms = Math.round(this.clock.elapsed() - this.shown.at);
    const { question } = this.shown.popup;
    this._popup("popup_answered", { answer: question ? choice : "confirm", input: "touch", trusted: true, latency_ms });
    this._popupOver();
    this.touched();
    this._release();
  }

  /** The learner leaves the lesson. What cannot be sent now is kept for the next start. */
  async stop(reason = "left") {
    if (this.state === "over" || this.state === "new") return;
    if (this.playing) this.tell("pause");
    this._beat();
    await this._send();
    if (this.state === "over") return;
    this._enter("over");
    this.cancelTick();
    this._save();
    if (!this.kept.token || this.kept.queue.length) return;
    const { status } = await this._ask("POST", "close", "application/json", JSON.stringify({ reason }));
    if (status === 202) this.store.set("zhenxue:sitting", "");
  }

  /** The learner tries again after `refused` or `stopped`. */
  again() {
    if (this.state !== "refused" && this.state !== "stopped") return;
    if (this.state === "stopped") this._forget();
    this.openAt = this.renewals = 0;
    this.state = "opening";
  }

  // ------------------------------------------------------------- opening

  async _open() {
    this.opening = true;
    const { kept } = this;
    const other = kept.session && (kept.lesson !== this.lesson || kept.service !== this.service);
    if ((other || this.ended) && !(await this._leave())) {
      this.openAt = this.retryAt;
      this.opening = false;
      return;
    }
    const { status, body, retry_s } = await this._try(() => this.open(this._terms()));
    this.opening = false;
    if (this.state !== "opening") return;
    const code = (body && body.code) || "refused";
    if (body && body.lease) this._opened(body);
    else if (status === 409 && kept.session && ENDED.includes(code)) await this._leave();
    else if (later(status)) {
      this._online(false);
      this.openAt = this.clock.elapsed() + this._backOff(retry_s);
    } else this._enter("refused", { status, code, body });
  }

  /** The sitting that was kept is over: bring what was noted in it, as far as it is still taken. */
  async _leave() {
    if ((await this._deliver()) === "later") return false;
    this.kept.lost += this.kept.queue.length;
    this._forget();
    return true;
  }

  _forget() {
    this.ended = false;
    const { lost, position, lesson } = this.kept;
    this.kept = { ...BLANK, queue: [], lost, position: lesson === this.lesson ? position : 0 };
    this._save();
  }

  _terms() {
    return {
      ...(this.kept.session && { session_id: this.kept.session }),
      lesson_id: this.lesson,
      device_id: this.device,
      window_id: "app",
      client: { user_agent: this.app.slice(0, 500), sdk_version: `app-${VERSION}`, face_actions: ["nearer", "farther"], questions: true },
      started_at_ms: this.clock.now(),
    };
  }

  _opened({ session_id, lease, resume_position, next_seq, controls }) {
    const { kept } = this;
    const same = kept.session === session_id;
    const first = !this.begun;
    Object.assign(kept, { session: session_id, token: lease.token, service: this.service, lesson: this.lesson });
    kept.seq = Math.max(kept.seq, next_seq);
    if (first) this.position = same ? kept.position : resume_position;
    this.begun = true;
    this.beat_ms = lease.heartbeat_s * 1000;
    this.idle_ms = (lease.idle_limit_s || 0) * 1000;
    this._online(true);
    this._enter("open", { session: session_id, position: this.position });
    if (this.idle_ms && !same) this._report("integrity", { code: "input_watched", value: true });
    this.lastTouch = this.toldTouch = this.clock.elapsed();
    if (this.playing && !same) this.tell("play");
    this._beat();
    this._controls(controls || {});
  }

  // ------------------------------------------------------------- while it is open

  /** Everything that waits for its time: one timer, so that one freeze is one freeze. */
  _tick() {
    const now = this.clock.elapsed();
    const passed = Math.max(0, Math.min(now - this.ticked, MOST_TICK_MS));
    this.ticked = now;
    this.cancelTick = this.clock.after(TICK_MS, () => this._tick());
    if (this.state === "opening" && !this.opening && !this.sending && now >= this.openAt) this._open();
    if (this.state !== "open") return;
    if (now - this.beaten >= this.beat_ms || now < this.beaten) this._beat();
    if (this.due && this.visible) {
      if (this.playing) this.due.left_ms -= passed;
      if (this.due.left_ms <= 0 && !this.shown && !this.photographing) this._show();
    }
    if (this.shown && now >= this.shown.ends) this._expire();
    if (this.snapshot && this.visible) {
      if (this.playing) this.snapshot.left_ms -= passed;
      if (this.snapshot.left_ms <= 0) this._photograph(this.snapshot.control, "random");
    }
    if (this.idle_ms && this.playing && now - this.lastTouch >= this.idle_ms) this._idle(true);
    if (this.kept.queue.length && now >= this.retryAt) this._send();
  }

  /** Where content is, and that somebody is there, playing or not. */
  _beat() {
    const now = this.clock.elapsed();
    this.beaten = now;
    if (this.idle_ms && this.touchedAnew && now - this.toldTouch >= INPUT_MS) {
      this.touchedAnew = false;
      this.toldTouch = now;
      this._report("integrity", { code: "input", value: true });
    }
    const seen = { rate: this.speed, visible: this.visible, focused: this.visible, monotonic_ms: Math.round(now) };
    this._report("progress", { position: this._place(), ...seen });
    this.retryAt = Math.min(this.retryAt, this.failures ? this.retryAt : 0);
    if (now >= this.retryAt) this._send();
  }

  /** Note an event. It is kept until the service says that it has it, also over a restart of the app. */
  _report(type, fields) {
    const { kept } = this;
    if (!kept || !kept.session || (this.state !== "open" && this.state !== "opening")) return;
    kept.queue.push({ seq: kept.seq, type, at_ms: this.clock.now(), ...fields });
    kept.seq += 1;
    if (kept.queue.length > MOST_KEPT) {
      kept.queue.shift();
      kept.lost += 1;
    }
    this._save();
  }

  /** One delivery at a time; whoever asks meanwhile waits for that one. */
  _send() {
    if (!this.sending && this.state === "open") {
      this.sending = this._deliver().then((told) => {
        this.sending = null;
        if (told === "gone") this._renew();
      });
    }
    return this.sending || Promise.resolve();
  }

  /** The lease is over, or the sitting: opening it again tells which. */
  _renew() {
    if (this.state !== "open") return;
    this.renewals += 1;
    if (this.renewals > MOST_RENEWALS) this._enter("refused", { status: 409, code: "session_closed", body: null });
    else {
      this.openAt = 0;
      this.state = "opening";
    }
  }

  /** Batch after batch, oldest first; the next only after the last was answered. */
  async _deliver() {
    const { kept } = this;
    let most = AT_ONCE;
    while (kept.queue.length && kept.token) {
      if (kept.lost) {
        this._report("error", { code: "events_lost", detail: String(kept.lost) });
        kept.lost = 0;
      }
      const events = kept.queue.slice(0, most);
      const body = JSON.stringify({ sent_at_ms: this.clock.now(), events });
      const told = await this._ask("POST", "events", "application/json", body);
      if (kept !== this.kept) return "gone";
      if (later(told.status)) {
        this._online(false);
        this.retryAt = this.clock.elapsed() + this._backOff(told.retry_s);
        return "later";
      }
      this._online(true);
      if (told.status === 413 && events.length > 1) most = Math.ceil(events.length / 2);
      else if (told.status === 200) this._acknowledged(events, told.body);
      else if ([400, 413, 415, 422].includes(told.status)) this._drop(events, events.length); // refused for good
      else return "gone";
    }
    return "sent";
  }

  _acknowledged(events, { next_seq, rejected, controls }) {
    this.renewals = 0;
    this.kept.seq = Math.max(this.kept.seq, next_seq);
    this._drop(events, rejected.length);
    if (this.state === "open") this._controls(controls);
  }

  _drop(events, lost) {
    const last = events[events.length - 1].seq;
    this.kept.queue = this.kept.queue.filter((it) => it.seq > last);
    this.kept.lost += lost;
    this._save();
  }

  // ------------------------------------------------------------- what the service asks for

  _controls({ stop, note, popup, snapshot, face_check }) {
    if (stop) {
      this._popupOver();
      if (stop.code === "expired") {
        this.ended = true; // by silence: on in another one, once what is left of this one was brought
        this.state = "opening";
      } else this._enter("stopped", stop);
      return;
    }
    if ((note && note.code) !== this.noted) {
      this.noted = note && note.code;
      this.on("note", note || null);
    }
    this._demand(popup);
    const wanted = (it) => it && !this.done[it.challenge_id];
    this.snapshot = wanted(snapshot) ? { control: snapshot, left_ms: snapshot.due_in_s * 1000 } : null;
    if (wanted(face_check) && this.visible) this._photograph(face_check, "challenge");
  }

  _demand(popup) {
    const open = this.shown && this.shown.popup.challenge_id;
    if (open && (!popup || popup.challenge_id !== open)) {
      this._popupOver(); // it was answered in another place
      this._release();
    }
    const fresh = popup && !this.done[popup.challenge_id];
    this.due = fresh ? { popup, left_ms: popup.due_in_s * 1000 } : null;
  }

  _show() {
    const { popup } = this.due;
    const at = this.clock.elapsed();
    const left_s = popup.left_s === undefined ? popup.answer_window_s : popup.left_s;
    this.shown = { popup, at, ends: at + left_s * 1000 };
    this._hold("popup");
    this._popup("popup_shown", {});
    this.on("popup", { question: popup.question || null, left_s });
  }

  _expire() {
    this._popup("popup_expired", {});
    this._popupOver();
  }

  _popup(type, fields) {
    const { challenge_id, nonce } = this.shown.popup;
    this._report(type, { challenge_id, nonce, ...fields });
    this._send();
  }

  _popupOver() {
    if (!this.shown) return;
    this.done[this.shown.popup.challenge_id] = true;
    this.shown = this.due = null;
    this.asked = this.checking ? "camera" : null;
    this.on("popup_over", {});
  }

  /** Content stands still behind a pop-up and a face check, and goes on afterwards. */
  _hold(why) {
    this.resume = this.playing || (Boolean(this.asked) && this.resume);
    this.asked = why;
    this.player.pause();
  }

  _release() {
    if (this.asked || !this.resume) return;
    this.resume = false;
    if (this.visible && this.state === "open") this.player.play();
  }

  // ------------------------------------------------------------- photos

  async _photograph(control, purpose) {
    if (this.photographing || this.refusedCamera || this.shown) return;
    this.photographing = true;
    try {
      if (this.camera && (await this._agreed())) {
        this.done[control.challenge_id] = true;
        this.snapshot = null;
        this.on("camera", true);
        const sent = await (purpose === "random" ? this._burst(control) : this._check(control));
        Promise.all(sent).then((all) => this.on("photos", { purpose, stored: all.filter(Boolean).length }));
      }
    } catch (error) {
      this._report("error", { code: "camera_unavailable", detail: String((error && error.errMsg) || error).slice(0, 500) });
    }
    this.on("camera", false);
    this.photographing = false;
  }

  async _agreed() {
    if (this.kept.agreed) return true;
    this._hold("camera");
    this.kept.agreed = await this.camera.agreed();
    this.asked = null;
    this._save();
    if (!this.kept.agreed) {
      this.refusedCamera = true;
      this._report("error", { code: "camera_refused" });
      this.on("camera_refused", {});
    }
    this._release();
    return this.kept.agreed;
  }

  async _burst(control) {
    const sent = [];
    for (let n = 0; n < (control.frames || 1); n += 1) {
      if (n) await this._pause(500);
      await this._shoot(control, "random", sent);
    }
    return sent;
  }

  /** As many photos as asked for, spread over what is to be done: fewer are a failed try. */
  async _check(control) {
    const { actions, frames, text } = control;
    const each = Math.ceil((frames - FRONT.photos) / Math.max(actions.length, 1));
    const steps = [FRONT, ...actions.map((action) => ({ action, ms: ACTION_MS, photos: each }))];
    const sent = [];
    this.checking = true;
    this._hold("camera");
    try {
      if (text) {
        this.on("prompt", { action: "again", text });
        await this._pause(READ_MS);
      }
      for (const { action, ms, photos } of steps) {
        this.on("prompt", { action, text: null });
        const begun = this.clock.elapsed();
        for (let n = 1; n <= photos; n += 1) {
          await this._shoot(control, "challenge", sent);
          await this._pause(Math.max(0, begun + (ms * n) / photos - this.clock.elapsed()));
        }
      }
    } finally {
      this.checking = false;
      this.asked = null;
      this.on("prompt", null);
      this._release();
    }
    return sent;
  }

  /** Take a photo and put it on its way: `sent` gets the promise of its arrival. */
  async _shoot({ challenge_id }, purpose, sent) {
    const frame = sent.length;
    const taken_at_ms = this.clock.now();
    const photo = await this.camera.photo();
    const id = encodeURIComponent(challenge_id);
    const query = `purpose=${purpose}&challenge_id=${id}&frame=${frame}&taken_at_ms=${taken_at_ms}`;
    sent.push(this._upload(sent[frame - IN_FLIGHT], `snapshots/${id}-${frame}?${query}`, photo));
  }

  async _upload(before, path, photo) {
    const until = this.clock.elapsed() + PHOTO_MS;
    await before;
    for (let n = 0; this.clock.elapsed() < until; n += 1) {
      const { status, body, retry_s } = await this._ask("PUT", path, "image/jpeg", photo);
      if (status === 202) return !body.late;
      if (!later(status)) {
        this._report("error", { code: "photo_refused", detail: `${status} ${(body && body.code) || ""}` });
        return false;
      }
      await this._pause(retry_s ? retry_s * 1000 : Math.min(30_000, 1000 * 2 ** n));
    }
    this._report("error", { code: "photo_not_sent" });
    return false;
  }

  // ------------------------------------------------------------- the rest

  _ask(method, path, type, body) {
    const { session, token } = this.kept;
    const url = `${this.service}/v1/sessions/${encodeURIComponent(session)}/${path}`;
    const headers = { Authorization: `Bearer ${token}`, "Content-Type": type };
    return this._try(() => this.request({ method, url, headers, body })).then((it) => (foreign(it) ? { ...it, status: 0 } : it));
  }

  async _try(run) {
    try {
      return await run();
    } catch (error) {
      return { status: 0, body: null };
    }
  }

  _backOff(retry_s) {
    this.failures += 1;
    return retry_s ? retry_s * 1000 : Math.min(30_000, 500 * 2 ** this.failures) * (0.5 + Math.random() / 2);
  }

  _online(yes) {
    if (yes) this.failures = this.retryAt = 0;
    if (yes === !this.offline) return;
    this.offline = !yes;
    this.on(yes ? "online" : "offline", {});
  }

  _idle(yes) {
    if (yes === Boolean(this.isIdle)) return;
    this.isIdle = yes;
    this.on("idle", yes);
  }

  _enter(state, detail = {}) {
    this.state = state;
    if (state !== "open") {
      this._popupOver();
      this.player.pause();
    }
    this.on(state, detail);
  }

  _place() {
    return rounded(this.position);
  }

  _save() {
    this.kept.position = this.position;
    this.store.set("zhenxue:sitting", JSON.stringify(this.kept));
  }

  _pause(ms) {
    return new Promise((over) => this.clock.after(ms, over));
  }
}

/**
 * `request`, `store` and `readFile` by `wx` or `uni`, which have the same names.
 *
 * @param {any} api  `wx` or `uni`
 */
export function host(api) {
  return {
    request: ({ method, url, headers, body }) =>
      new Promise((done) => {
        api.request({
          method, url, data: body, header: headers, timeout: 20_000,
          success({ statusCode, data, header }) {
            const name = Object.keys(header || {}).find((it) => it.toLowerCase() === "retry-after");
            done({ status: statusCode, body: data, retry_s: name ? Number(header[name]) : undefined });
          },
          fail: () => done({ status: 0, body: null }),
        });
      }),
    store: {
      get: (name) => api.getStorageSync(name),
      set: (name, text) => api.setStorageSync(name, text),
    },
    readFile: (filePath) =>
      new Promise((success, fail) => {
        api.getFileSystemManager().readFile({ filePath, success: ({ data }) => success(data), fail });
      }),
  };
}

function read(text) {
  try {
    return JSON.parse(text) || {};
  } catch (error) {
    return {};
  }
}

const rounded = (seconds) => Math.round(seconds * 1000) / 1000;
/** Whether a gateway refused in the service's place, each of whose problems tells its status. Its 413 is true of the line. */
const foreign = ({ status, body }) => status >= 400 && status !== 413 && !(body && body.status === status);
const later = (status) => !status || status === 408 || status === 429 || status >= 500;
