import * as native from "./native.js";

/**
 * What survives a reload: the sitting of this window, its lease, and the events that the service has
 * not acknowledged. No face picture is ever among it.
 *
 * @typedef {object} Kept
 * @property {string | null} session
 * @property {string | null} token
 * @property {string | null} service
 * @property {string | null} lesson
 * @property {number} seq       number of the next event
 * @property {object[]} queue   events that are not acknowledged
 * @property {number} lost      events that never will be
 * @property {number | null} position
 * @property {number} reached  the furthest content that was played
 * @property {boolean} camera   the learner agreed to photos in this sitting
 * @property {number} saved_ms
 */

const PREFIX = "zhenxue:";
const SITTING = `${PREFIX}sitting:`;
const FORGOTTEN_MS = 86_400_000;
const LET_GO_MS = 100;

/** @returns {Kept} */
const blank = () => ({
  session: null, token: null, service: null, lesson: null, seq: 0, queue: [], lost: 0, position: null,
  reached: 0, camera: false, saved_ms: 0,
});

export class RecordBook {
  /** @param {import("./scope.js").Scope} scope */
  constructor(scope) {
    this.scope = scope;
    this.window = native.ofTab?.get(`${PREFIX}window`) ?? native.newId();
    this.device = native.lasting?.get(`${PREFIX}device`) ?? native.newId();
    this.full = false;
  }

  /** Take this window's record; a tab that was duplicated gets a name of its own. */
  async open() {
    for (let n = 0; !(await this.#hold(this.window)); n += 1) {
      if (n) this.window = native.newId(); // else it may be a moment ago that it was let go
      else await new Promise((over) => native.after(over, LET_GO_MS));
    }
    write(native.ofTab, `${PREFIX}window`, this.window);
    write(native.lasting, `${PREFIX}device`, this.device);
    this.kept = this.#read(SITTING + this.window) ?? blank();
  }

  save() {
    if (!this.#mine()) return;
    this.kept.saved_ms = native.date();
    this.full = !write(native.lasting, SITTING + this.window, native.encode(this.kept));
  }

  /** A new sitting begins; what is still unsent of the old one is given up and counted. */
  forget() {
    const { lost, queue } = this.kept;
    this.kept = { ...blank(), lost: lost + queue.length };
    this.save();
  }

  /** The page is done with the sitting; the next one may already keep its own record here. */
  leave() {
    this.left = true;
  }

  /** Nothing of the sitting is left to tell. */
  drop() {
    if (this.#mine()) native.lasting?.drop(SITTING + this.window);
  }

  #mine() {
    return !this.left || this.#read(SITTING + this.window)?.session === this.kept.session;
  }

  /**
   * Records of windows that are gone and left something behind. `deliver` sends one; a record that
   * was delivered, or is too old to be taken, is dropped.
   *
   * @param {(kept: Kept) => Promise<boolean>} deliver
   */
  async leftovers(deliver) {
    for (const key of native.lasting?.keys() ?? []) {
      const name = key.slice(SITTING.length);
      if (!key.startsWith(SITTING) || name === this.window) continue;
      const kept = this.#read(key);
      const old = !kept || native.date() - kept.saved_ms > FORGOTTEN_MS;
      if (old) native.lasting.drop(key);
      else if (native.lock && kept.queue.length) {
        await native.lock(PREFIX + name, { ifAvailable: true }, async (held) => {
          if (held && (await deliver(kept))) native.lasting.drop(key);
        });
      }
    }
  }

  /** Hold the window's name as long as the page is shown; false when another page has it. */
  #hold(name) {
    if (!native.lock) return Promise.resolve(true);
    return new Promise((taken) => {
      const asked = native.lock(PREFIX + name, { ifAvailable: true }, (held) => {
        taken(held !== null);
        if (!held) return undefined;
        return new Promise((release) => {
          const free = this.scope.add(() => release(undefined));
          this.scope.listen(window, "pagehide", free); // a page that holds a lock is not kept for "back"
        });
      });
      asked.catch(() => taken(true)); // a page that may hold none is alone as far as it knows
    });
  }

  #read(key) {
    try {
      const found = native.decode(native.lasting.get(key));
      return found && { ...blank(), ...found };
    } catch {
      return null;
    }
  }
}

function write(store, key, value) {
  try {
    store.set(key, value);
    return true;
  } catch {
    return false;
  }
}
