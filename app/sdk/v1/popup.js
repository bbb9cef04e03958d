import * as native from "./native.js";
import { element } from "./dialog.js";

const TICK_MS = 250;
const BLIND_MS = 300; // a key that was on its way already answers nothing

/** The service's pop-up: shown when its moment on the learning clock has come, answered once. */
export class Popup {
  /**
   * @param {import("./scope.js").Scope} scope
   * @param {import("./dialog.js").Screen} screen
   * @param {Record<string, any>} texts
   * @param {import("./player.js").Player} player
   * @param {Record<"report" | "flush" | "shown" | "expired" | "answered", Function>} told
   */
  constructor(scope, screen, texts, player, told) {
    this.scope = scope;
    this.screen = screen;
    this.texts = texts;
    this.player = player;
    this.told = told;
    this.done = new Set();
  }

  /** What the service asks for now: a pop-up, or none. */
  demand(popup) {
    if (popup?.challenge_id !== this.current?.challenge_id) this.#clear();
    if (!popup || this.done.has(popup.challenge_id)) return;
    this.current = popup;
    if (this.dialog) return;
    this.left_ms = popup.due_in_s * 1000;
    this.ticked = native.monotonic();
    this.cancel ??= this.scope.every(TICK_MS, () => this.#tick());
    this.#tick();
  }

  /** Whether it is on the screen. */
  get open() {
    return Boolean(this.dialog);
  }

  /** The learning clock runs while content does. */
  #tick() {
    const now = native.monotonic();
    if (this.player.playing) this.left_ms -= now - this.ticked;
    this.ticked = now;
    if (!this.dialog && this.left_ms <= 0 && !native.isHidden()) this.#show();
    if (this.dialog) this.#count(now);
  }

  #show() {
    const { texts, current } = this;
    this.shown = native.monotonic();
    this.ends = this.shown + (current.left_s ?? current.answer_window_s) * 1000; // another page may have shown it
    this.counter = element("p", "", { className: "left" });
    this.counter.setAttribute("role", "timer");
    this.dialog = this.screen.ask({
      title: texts.popup_title,
      ...this.#asked(texts, current.question),
      extra: [this.counter],
      ready: !current.question, // a key that was on its way already chooses nothing
    });
    this.told.shown();
    this.#say("popup_shown");
    this.#count(this.shown);
  }

  /** What is said, and the buttons: to confirm, or the choices of a question. */
  #asked(texts, question) {
    const choices = question?.choices ?? [texts.popup_confirm];
    const press = (event, at) => this.#press(event, question ? at : "confirm");
    const text = question ? (question.again ? texts.popup_again : "") + question.text[this.screen.language] : texts.popup_text;
    return { text, buttons: choices.map((label, at) => ({ label, plain: question, press: (event) => press(event, at) })) };
  }

  #count(now) {
    if (now >= this.ends) {
      this.#say("popup_expired");
      this.#finish();
      this.told.expired();
      return;
    }
    this.counter.textContent = this.texts.popup_left(Math.ceil((this.ends - now) / 1000));
  }

  #press(event, answer) {
    const latency_ms = Math.round(native.monotonic() - this.shown);
    const trusted = event.isTrusted;
    if (trusted && latency_ms < BLIND_MS) return;
    if (!trusted) this.told.report("integrity", { code: "untrusted_input", value: "popup" });
    this.#say("popup_answered", { answer, trusted, latency_ms, ...(trusted && { input: inputOf(event) }) });
    this.#finish();
    this.told.answered();
  }

  #say(type, fields = {}) {
    const { challenge_id, nonce } = this.current;
    this.told.report(type, { challenge_id, nonce, ...fields });
    this.told.flush();
  }

  #finish() {
    this.done.add(this.current.challenge_id);
    this.#clear();
  }

  #clear() {
    this.cancel?.();
    this.dialog?.close();
    this.cancel = this.dialog = this.current = undefined;
  }
}

/** What pressed the button: the browser tells of the keyboard by leaving the pointer out. */
function inputOf({ pointerType }) {
  if (pointerType === "touch") return "touch";
  return pointerType ? "pointer" : "keyboard";
}
