import { finder, sealed } from "./media.js";
import * as native from "./native.js";
import { Scope } from "./scope.js";

const LOOK_MS = 250;
const SEALED_MS = 5_000; // a component may still be building

const turns = new Set();
const lessons = new WeakMap(); // of each media element, the turn it belongs to
let now = null; // whose turn it is
let closing = null; // a sitting of this page that is being closed: the next is opened after it

/**
 * A page may show several players, take one away, or open the next lesson without a word about the
 * last. One at a time is studied: the first, then the one that is played. The others wait.
 */
export class Turn {
  sitting = null;
  #over = false;
  #rested = false;
  #scope = new Scope();

  /**
   * @param {any} video  where the player is, as in `start`
   * @param {(turn: Turn) => any} begin  a new sitting
   * @param {(detail?: object) => void} waits  told when it is another one's turn, or no player is there
   */
  constructor(video, begin, waits) {
    this.video = video;
    this.begin = begin;
    this.waits = waits;
    this.found = finder(video, (element) => [undefined, this].includes(lessons.get(element)));
    this.#follow();
    turns.add(this);
    this.#scope.every(LOOK_MS, () => {
      this.#look();
      this.#sealed();
    });
    this.#look();
    if (!this.sitting && now !== this) native.after(() => waits(), 0);
  }

  get state() {
    return this.#over ? "over" : (this.sitting?.state ?? "waiting");
  }

  /** The element, once there is one. */
  find = () => {
    const element = this.found() ?? this.#elsewhere();
    this.element = element;
    if (element) lessons.set(element, this);
    return element;
  };

  /** The player may be in a window of its own, which is another document (document picture-in-picture). */
  #elsewhere() {
    const { element } = this;
    return element?.isConnected && element.ownerDocument !== document ? element : null;
  }

  /** Where nobody can hear the player, the page and the learner are told that nothing counts. */
  #sealed() {
    if (this.sitting || this.#over || this.element || !sealed(this.video)) this.sealed_ms = undefined;
    else {
      this.sealed_ms ??= native.monotonic();
      if (native.monotonic() - this.sealed_ms < SEALED_MS) return;
      this.sealed_ms = Infinity;
      this.waits({ code: "player_sealed" });
    }
  }

  /** What was started for the same place or the same element is over. */
  #follow() {
    const element = finder(this.video, () => true)();
    for (const it of turns) {
      if (it.video === this.video || (element && it.find() === element)) it.stop({ reason: "next_lesson" });
    }
    if (element) lessons.set(element, this);
    if (now && !now.find()) now.rest("player_gone");
  }

  async #look() {
    const element = this.sitting || now === this || this.#over ? null : this.find();
    if (!element || ((now || this.#rested) && native.paused(element))) return;
    if (now?.sitting?.asking) {
      native.pause(element); // a question is answered before another lesson is begun
      return;
    }
    now?.rest("other_player");
    now = this;
    if (closing) {
      const wanted = !native.paused(element);
      native.pause(element);
      await closing;
      if (now !== this) return;
      if (wanted) native.play(element)?.catch(() => {});
    }
    this.sitting = this.begin(this);
  }

  /** Close the sitting; another begins when this player plays again. */
  rest(reason) {
    this.#rested = true;
    this.#close({ reason });
    this.waits();
  }

  async stop(how) {
    this.#over = true;
    this.#scope.close();
    turns.delete(this);
    await this.#close(how);
  }

  async #close(how) {
    const { sitting } = this;
    if (now === this) now = null;
    if (!this.#over) this.sitting = null;
    if (!sitting || sitting.state === "over") return;
    if (!this.#over) sitting.still();
    const closed = sitting.stop(how);
    closing = closed;
    await closed;
    if (closing === closed) closing = null;
  }
}
