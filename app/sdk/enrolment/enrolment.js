import { Camera } from "./camera.js";
import { element, say, STYLE } from "./look.js";
import * as texts from "./texts.js";

const HERE = new URL(import.meta.url).origin;
const STEPS = Object.keys(texts.steps);
const COUNT_S = 3; // time to turn the head after pressing the button
const SHOWN_MS = 1_200;
const LOOK_MS = 400;
const WAIT_MS = 30_000;

/**
 * @typedef {object} Options
 * @property {HTMLElement} element   where it is shown; it is as high as the window
 * @property {string} learner        the learner, as your server calls them
 * @property {string} token          what `POST /v1/learners/{learner}/enrolment` gave your server
 * @property {string} [service]      where the service is; by default where this module came from
 * @property {(name: string, detail: object) => void} [on]
 *   told of: enrolled {step, photos, photos_wanted}, refused {step, codes}, skipped {step}, done {photos, photos_wanted}
 */

/**
 * Guide a learner through five different photos.
 *
 * @param {Options} options
 * @returns {{stop: () => void}}
 */
export function enrol(options) {
  const enrolment = new Enrolment(options);
  return { stop: () => enrolment.stop() };
}

class Enrolment {
  constructor({ element: place, learner, token, service = HERE, on = () => {} }) {
    this.address = `${service.replace(/\/+$/, "")}/v1/learners/${encodeURIComponent(learner)}/`;
    this.token = token;
    this.on = on;
    this.place = place;
    this.camera = new Camera();
    this.there = new Set();
    this.passed = new Set();
    this.photos = 0;
    this.wanted = STEPS.length;
    this.#build();
    this.#begin();
  }

  stop() {
    this.stopped = true;
    clearInterval(this.looking);
    this.camera.close();
    this.host.remove();
  }

  // ---------------------------------------------------------------- what is seen

  #build() {
    this.host = element("div");
    this.host.lang = "zh-CN";
    const root = this.host.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    root.adoptedStyleSheets = [sheet];
    this.sheet = element("section", "sheet");
    this.sheet.setAttribute("aria-label", texts.title[0]);
    this.steps = element("ol", "steps");
    this.told = element("p", "both say");
    this.told.setAttribute("role", "status");
    this.stage = element("div", "stage");
    this.camera.video.setAttribute("aria-label", texts.preview[0]);
    this.count = element("div", "count");
    this.count.setAttribute("aria-hidden", "true");
    this.stage.append(this.camera.video, element("div", "oval"), this.count);
    this.note = element("div", "both note");
    this.note.setAttribute("role", "alert");
    this.dark = element("p", "both note");
    this.dark.setAttribute("role", "status");
    this.buttons = element("div", "buttons");
    const heading = say(element("h1"), texts.title);
    this.sheet.append(heading, this.steps, this.told, this.dark, this.stage, this.note, this.buttons);
    root.append(this.sheet);
    this.place.append(this.host);
    this.#show({ say: texts.checking });
  }

  /** One state: what is said, whether the camera is seen, a note of a kind, and the buttons. */
  #show({ say: words, stage = false, note, kind = "", buttons = [] }) {
    if (this.stopped) return;
    say(this.told, words);
    this.told.classList.toggle("long", words[0].length > 24);
    this.stage.hidden = !stage;
    this.note.hidden = !note;
    this.note.className = `both note ${kind}`;
    if (note) this.note.replaceChildren(...note.map((line) => say(element("div"), line)));
    this.dark.hidden ||= !stage;
    this.buttons.replaceChildren(
      ...buttons.map(([label, press], at) => {
        const button = say(element("button", at ? "" : "first"), label);
        button.type = "button";
        button.addEventListener("click", press);
        return button;
      }),
    );
    this.#mark();
    this.buttons.firstElementChild?.focus({ preventScroll: true });
  }

  #mark() {
    this.steps.replaceChildren(
      ...STEPS.map((step) => {
        const item = element("li", this.there.has(step) ? "there" : "", texts.steps[step][0][0]);
        if (step === this.step) item.setAttribute("aria-current", "step");
        if (this.there.has(step)) item.append(element("span", "unseen", "（已登记）"));
        return item;
      }),
    );
  }

  #look() {
    const dark = !this.stage.hidden && this.camera.isDark();
    this.sheet.classList.toggle("lamp", dark);
    document.documentElement.classList.toggle("zhenxue-lamp", dark);
    if (dark && this.dark.hidden) say(this.dark, texts.dark);
    this.dark.hidden = !dark;
  }

  // ---------------------------------------------------------------- what happens

  async #begin() {
    this.dark.hidden = true;
    const { status, body } = await this.#ask("enrolment");
    if (status !== 200) return this.#stuck(status, body, () => this.#begin());
    this.#count(body);
    body.steps.filter((it) => it.enrolled).forEach((it) => this.there.add(it.step));
    if (!this.#missing().length) return this.#end();
    this.#show({ say: texts.intro, note: [texts.before], buttons: [[texts.begin, () => this.#open()]] });
  }

  #count({ photos, photos_wanted }) {
    this.photos = photos;
    this.wanted = photos_wanted;
  }

  #missing() {
    return STEPS.filter((step) => !this.there.has(step));
  }

  async #open() {
    this.#show({ say: texts.starting });
    try {
      await this.camera.open();
    } catch (error) {
      const known = texts.trouble[error.message] ? error.message : "absent";
      return this.#show({ say: texts.trouble[known], buttons: [[texts.retry, () => this.#open()]] });
    }
    if (this.stopped) return this.camera.close();
    this.looking ??= setInterval(() => this.#look(), LOOK_MS);
    this.#next();
  }

  #next() {
    const step = this.#missing().find((it) => !this.passed.has(it));
    if (!step) return this.#end();
    this.#pose(step);
  }

  /** Ask for a photo; `why` is told of the one before. */
  #pose(step, why, kind = "refused") {
    this.step = step;
    this.sheet.classList.toggle("nearer", step === "nearer");
    this.still?.remove();
    this.camera.video.play().catch(() => {});
    const skip = () => {
      this.passed.add(step);
      this.#tell("skipped", { step });
      this.#next();
    };
    const buttons = [[why ? texts.again : texts.shoot, () => this.#shoot()]];
    this.#show({
      say: texts.steps[step][1],
      stage: true,
      note: why,
      kind,
      buttons: step === "straight" ? buttons : [...buttons, [texts.skip, skip]],
    });
  }

  async #shoot() {
    const { step } = this;
    this.#show({ say: texts.steps[step][1], stage: true });
    for (let left = COUNT_S; left && !this.stopped; left -= 1) {
      this.count.textContent = `${left}`;
      await pause(1_000);
    }
    this.count.textContent = "";
    if (this.stopped) return;
    const still = this.camera.still();
    this.still = still;
    this.count.before(still);
    const photo = await new Promise((made) => still.toBlob(made, "image/jpeg", 0.92));
    if (photo) await this.#send(step, photo);
    else this.#pose(step, [texts.trouble.unknown]);
  }

  async #send(step, photo) {
    this.#show({ say: texts.checking, stage: true });
    const { status, body } = await this.#ask(`reference-photo?step=${step}`, photo);
    if (this.stopped) return;
    if (status === 200) {
      this.#count(body);
      this.there.add(step);
      this.#tell("enrolled", { step, photos: body.photos, photos_wanted: body.photos_wanted });
      this.#show({ say: texts.enrolled(body.photos, body.photos_wanted), stage: true, note: [texts.good], kind: "good" });
      await pause(SHOWN_MS);
      this.#next();
    } else if (status === 422 || status === 400 || status === 413 || status === 415) {
      const reasons = body?.reasons ?? [];
      this.#tell("refused", { step, codes: reasons.map((it) => it.code) });
      this.#pose(step, reasons.length ? reasons.map((it) => [it.zh, it.en]) : [texts.trouble.unknown]);
    } else if (body?.code === "enrolment_complete") this.#end();
    else this.#stuck(status, body, () => this.#send(step, photo));
  }

  /** No photo can be handed in: for good, or until it is tried again. */
  #stuck(status, body, again) {
    const lasting = { enrolment_over: "over", no_face_consent: "consent" }[body?.code] ?? (body?.status === status && (status === 401 || status === 404) ? "over" : "");
    if (!lasting) return this.#show({ say: texts.trouble.network, buttons: [[texts.resend, again]] });
    this.step = undefined;
    this.#close();
    this.#show({ say: texts.trouble[lasting] });
  }

  #end() {
    this.step = undefined;
    this.#close();
    const missing = this.#missing();
    const enough = this.photos >= this.wanted;
    const names = [0, 1].map((language) => missing.map((step) => texts.steps[step][0][language]));
    const more = () => {
      this.passed.clear();
      this.#open();
    };
    const finish = () => {
      this.#show({ say: texts.done });
      this.#tell("done", { photos: this.photos, photos_wanted: this.wanted });
    };
    this.#show({
      say: texts.enrolled(this.photos, this.wanted),
      note: enough ? [texts.whole] : [texts.missing(names), texts.fewer],
      kind: enough ? "good" : "",
      buttons: enough || !missing.length ? [[texts.finish, finish]] : [[texts.more, more], [texts.finish, finish]],
    });
  }

  #close() {
    clearInterval(this.looking);
    this.looking = undefined;
    this.camera.close();
    this.stage.hidden = true;
    this.#look();
  }

  // ---------------------------------------------------------------- the rest

  /** The status of an answer, 0 when none came, and its body. */
  async #ask(path, photo) {
    const headers = { authorization: `Bearer ${this.token}`, ...(photo && { "content-type": "image/jpeg" }) };
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), WAIT_MS);
    try {
      const method = photo ? "PUT" : "GET";
      const answer = await fetch(this.address + path, { method, headers, body: photo, signal: late.signal, credentials: "omit" });
      return { status: answer.status, body: await answer.json().catch(() => null) };
    } catch {
      return { status: 0, body: null };
    } finally {
      clearTimeout(timer);
    }
  }

  #tell(name, detail) {
    try {
      this.on(name, detail);
    } catch (error) {
      reportError(error); // the page's own mistake
    }
  }
}

const pause = (ms) => new Promise((over) => setTimeout(over, ms));
