import * as native from "./native.js";
import { element } from "./dialog.js";
import { backOff, later, toSitting } from "./wire.js";

const WIDTH = 640;
const IN_FLIGHT = 4; // photos on their way at once
const PICTURE_MS = 10_000; // until its first picture: one that another program holds shows none
const WARM_MS = 700; // until exposure has settled
const SNAPSHOT_GAP_MS = 500;
const FRONT_FRAMES = 2;
const FRONT_MS = 700;
const ACTION_MS = 2_800; // a turn and back again; the service allows four seconds
const START_MS = 4_000; // the camera's, and facing it
const READ_MS = 4_000; // why the check before did not pass: time to put it right
const DARK = 75; // mean brightness, 0-255; a product default
const TRIES = 3;
/** Said of a face check beside `texts.js`: only who sees the camera needs it. */
const MORE = {
  zh: {
    dark: "光线偏暗，屏幕已变亮补光。请再开一盏灯，或面向窗户。",
    nearer: "请把脸移近摄像头，停一下，再退回来",
    farther: "请把脸移远一些，停一下，再回来",
    last: "这是第三次。",
    else: "仍不通过，请找培训机构当面核对并登记；不会因此算您违规。",
  },
  en: {
    dark: "It is dark, so the screen lights up. Switch on a light, or face a window.",
    nearer: "Come nearer to the camera, hold, and go back",
    farther: "Go farther from the camera, hold, and come back",
    last: "This is the third time. ",
    else: "If it does not pass, ask your training institution to check in person and record it; it is no violation.",
  },
};
/** What is asked, as a picture: a head with a nose, seen as in the mirror above it. */
const SIGNS = {
  turn_left: "translateX(-14px)",
  turn_right: "translateX(14px)",
  nearer: "scale(1.6)",
  farther: "scale(.5)",
};
const KEEP_MS = 600_000; // an outage: the service takes a photo no later than this

/**
 * Photos that the service asks for, after the learner agreed. The camera runs for the seconds of a
 * photo only; a picture is sent at once and kept nowhere but in memory, until it has arrived.
 */
export class Camera {
  /**
   * @param {import("./scope.js").Scope} scope
   * @param {import("./dialog.js").Screen} screen
   * @param {Record<string, any>} texts
   * @param {import("./record.js").RecordBook} book
   * @param {{report: Function, taken: (purpose: string, frames: number) => void,
   *   refused: () => void, asks: (yes: boolean) => void}} told
   */
  constructor(scope, screen, texts, book, told) {
    this.scope = scope;
    this.screen = screen;
    this.texts = texts;
    this.book = book;
    this.told = told;
    this.done = new Set();
    this.refused = false;
    this.tries = 0;
    this.busy = false;
  }

  /** What the service asks for now: `snapshot`, `face_check`, or neither. */
  demand({ snapshot, face_check }) {
    this.snapshot = this.#fresh(snapshot);
    this.check = this.#fresh(face_check);
    if (this.check && this.check.challenge_id !== this.heard) {
      this.heard = this.check.challenge_id;
      this.checkEnds = native.monotonic() + this.check.window_s * 1000;
    }
    this.cancel?.();
    if (this.check) this.#next();
    else if (this.snapshot) this.cancel = this.scope.after(this.snapshot.due_in_s * 1000, () => this.#next());
  }

  /** How long all of a check is. */
  #takes({ actions = [] }) {
    return START_MS + ACTION_MS * actions.length;
  }

  #fresh(control) {
    return control && !this.done.has(control.challenge_id) ? control : undefined;
  }

  async #next() {
    if (this.busy || this.refused || native.isHidden()) return;
    this.busy = true;
    try {
      if (await this.#agreed()) {
        const { check, snapshot } = this; // as asked by now: consent may have taken its time
        if (check && native.monotonic() > this.checkEnds - this.#takes(check)) return; // the next one comes
        if (check) await this.#take(check, "challenge", () => this.#follow(check));
        else if (snapshot) await this.#take(snapshot, "random", () => this.#burst(snapshot));
      }
    } finally {
      this.busy = false;
    }
  }

  /** The learner's word, asked for once a sitting. */
  #agreed() {
    if (this.book.kept.camera) return true;
    const { texts } = this;
    return new Promise((decide) => {
      const settle = (yes) => (event) => {
        if (!event.isTrusted) return;
        dialog.close();
        this.refused = !yes;
        this.book.kept.camera = yes;
        this.book.save();
        if (!yes) this.told.refused();
        decide(yes);
      };
      const dialog = this.#ask({
        title: texts.camera_title,
        text: texts.camera_text,
        buttons: [
          { label: texts.camera_agree, press: settle(true) },
          { label: texts.camera_refuse, press: settle(false) },
        ],
      });
      this.scope.add(() => decide(false));
    });
  }

  /** A dialog, and content that stops behind it. */
  #ask(what) {
    const dialog = this.screen.ask(what);
    this.asking = true;
    this.told.asks(true);
    const close = () => {
      dialog.close();
      this.asking = false;
      this.told.asks(false);
    };
    return { ...dialog, close };
  }

  async #take(control, purpose, photograph) {
    this.done.add(control.challenge_id);
    const scope = this.scope.inner();
    this.control = { ...control, purpose };
    this.frame = 0;
    const uploads = (this.uploads = []);
    try {
      this.video = await this.#open(scope);
      await photograph();
    } catch (error) {
      this.told.report("error", { code: "camera_unavailable", detail: `${error?.name ?? error}` });
      const away = this.screen.notice(this.texts.camera_missing);
      this.scope.after(6_000, away);
    } finally {
      scope.end();
    }
    // Not waited for: what an outage holds back must not keep the next photo from being taken.
    Promise.all(uploads).then((stored) => this.told.taken(purpose, stored.filter(Boolean).length));
  }

  async #open(scope) {
    if (!native.openCamera) throw new Error("no camera in an insecure page");
    const wanted = { video: { facingMode: "user", width: { ideal: WIDTH }, height: { ideal: 480 } } };
    const stream = await native.openCamera(wanted);
    scope.add(() => stream.getTracks().forEach((track) => track.stop()));
    this.#observe(stream);
    const video = element("video", "", { muted: true, autoplay: true, playsInline: true });
    video.srcObject = stream;
    const late = this.#pause(PICTURE_MS).then(() => Promise.reject(new DOMException("no picture", "TimeoutError")));
    await Promise.race([video.play(), late]);
    await this.#pause(WARM_MS);
    return video;
  }

  /** What the camera is, by the browser's word: it decides nothing, and people may read it. */
  #observe(stream) {
    const [track] = stream.getVideoTracks();
    const { width, height, frameRate } = track?.getSettings?.() ?? {};
    const kind = track?.constructor?.name ?? "none";
    const own = /\[native code\]\s*\}$/.test(`${navigator.mediaDevices?.getUserMedia}`) ? "native" : "replaced";
    const rate = frameRate ? Math.round(frameRate) : "?";
    const value = `${kind}; getUserMedia ${own}; ${width ?? "?"}x${height ?? "?"}@${rate}; ${track?.label ?? ""}`.slice(0, 200);
    if (value === this.observed) return;
    this.observed = value;
    this.told.report("integrity", { code: "camera_track", value });
  }

  /** Whether the middle of the picture is badly lit. */
  #isDark() {
    const { video } = this;
    const small = element("canvas", "", { width: 16, height: 16 });
    const pen = small.getContext("2d");
    const [width, height] = [video.videoWidth / 2, video.videoHeight / 2];
    pen.drawImage(video, width / 2, height / 2, width, height, 0, 0, 16, 16);
    const { data } = pen.getImageData(0, 0, 16, 16);
    let sum = 0;
    for (let n = 0; n < data.length; n += 4) sum += data[n] + data[n + 1] + data[n + 2];
    return sum / 768 < DARK;
  }

  /** Some frames of a person who goes on studying. */
  async #burst({ frames = 1 }) {
    const away = this.screen.notice(this.texts.photo_now);
    try {
      for (let n = 0; n < frames; n += 1) {
        if (n) await this.#pause(SNAPSHOT_GAP_MS);
        await this.#shoot();
      }
    } finally {
      away();
    }
  }

  /** A burst while the learner does what the service drew. */
  async #follow({ actions = [], frames = 16, text = {} }) {
    const { texts, screen } = this;
    const why = text[screen.language];
    const more = MORE[screen.language] ?? MORE.zh;
    this.tries = why ? this.tries + 1 : 1;
    const dark = this.#isDark();
    const last = this.tries >= TRIES && (this.tries === TRIES ? more.last : "") + more.else;
    const lines = [why && texts.face_again(why), last, dark && more.dark]
      .filter(Boolean)
      .map((line) => element("p", line, { className: "why" }));
    const sign = new Sign();
    const extra = [...lines, sign.head, this.video];
    const dialog = this.#ask({ title: texts.face_title, text: texts.face_front, extra });
    try {
      if (dark) this.video.closest("dialog").style.boxShadow = "0 0 0 100vmax #fff"; // a lamp
      this.video.play();
      if (lines.length) await this.#pause(READ_MS);
      lines.forEach((line) => line.remove()); // read by now: the face is to be in sight, also on a small phone
      // As many as the service asks for, however slow the camera: fewer are a failed try.
      const each = Math.ceil((frames - FRONT_FRAMES) / Math.max(actions.length, 1));
      const asked = actions.map((it) => [it, ACTION_MS, each]);
      for (const [action, ms, count] of [["face_front", FRONT_MS, FRONT_FRAMES], ...asked]) {
        dialog.say(texts[action] ?? more[action]);
        sign.show(action);
        const begun = native.monotonic();
        for (let n = 1; n <= count; n += 1) {
          await this.#shoot();
          await this.#pause(Math.max(0, begun + (ms * n) / count - native.monotonic()));
        }
      }
    } finally {
      dialog.close();
    }
  }

  async #shoot() {
    const { video } = this;
    const scale = Math.min(1, WIDTH / video.videoWidth);
    const canvas = element("canvas", "", {
      width: Math.round(video.videoWidth * scale),
      height: Math.round(video.videoHeight * scale),
    });
    canvas.getContext("2d").drawImage(video, 0, 0, canvas.width, canvas.height);
    const taken_at_ms = native.date();
    const photo = await new Promise((made) => canvas.toBlob(made, "image/jpeg", 0.85));
    const before = this.uploads[this.uploads.length - IN_FLIGHT];
    const { control, frame } = this;
    this.frame += 1;
    this.uploads.push(this.#upload(before, this.book.kept, control, frame, taken_at_ms, photo));
  }

  /** A few at a time, so that a slow line stretches little of what was done in time. */
  async #upload(before, kept, { challenge_id, purpose }, frame, taken_at_ms, photo) {
    const until = native.monotonic() + KEEP_MS;
    await before;
    const query = new URLSearchParams({ purpose, challenge_id, frame, taken_at_ms });
    const path = `snapshots/${challenge_id}-${frame}?${query}`;
    for (let n = 0; native.monotonic() < until; n += 1) {
      const { status, body, retry_s } = await toSitting(kept, path, "PUT", "image/jpeg", photo);
      if (status === 202) {
        if (body?.late) this.told.report("error", { code: "photo_late" });
        return !body?.late;
      }
      if (!later(status)) {
        this.told.report("error", { code: "photo_refused", detail: `${status} ${body?.code ?? ""}` });
        return false;
      }
      await this.#pause(backOff(n, retry_s));
    }
    this.told.report("error", { code: "photo_not_sent" });
    return false;
  }

  #pause(ms) {
    return new Promise((over) => this.scope.after(ms, over));
  }
}

/** A head that does what is asked, over and over; still, as it is to be, for who wants no motion. */
class Sign {
  constructor() {
    const round = "border: 3px solid #1d4ed8; border-radius: 50%; box-sizing: border-box;";
    this.nose = element("div");
    this.nose.style.cssText = `${round} width: 14px; height: 14px; margin: 20px auto; background: #1d4ed8;`;
    this.head = element("div");
    this.head.style.cssText = `${round} width: 54px; height: 54px; margin: 24px auto; overflow: hidden; visibility: hidden;`;
    this.head.className = "sign";
    this.head.setAttribute("aria-hidden", "true"); // the words say the same
    this.head.append(this.nose);
  }

  show(action) {
    this.running?.cancel();
    const there = SIGNS[action];
    this.head.style.visibility = there ? "visible" : "hidden";
    if (!there) return;
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const moves = there.startsWith("scale") ? this.head : this.nose;
    const way = [{ transform: still ? there : "none" }, { transform: there }, { transform: there }];
    this.running = moves.animate(way, { duration: 1_400, iterations: Infinity, direction: "alternate" });
  }
}
