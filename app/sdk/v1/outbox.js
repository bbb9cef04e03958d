import * as native from "./native.js";
import { backOff, later, toSitting } from "./wire.js";

const MOST_KEPT = 5_000; // half a day of heartbeats
const MOST_AT_ONCE = 500;
const KEEPALIVE_BYTES = 50_000; // browsers allow 64 KiB of requests that outlive the page
const SOON_MS = 150;

/**
 * Events in the order in which they happened, each with its number, kept until the service says that
 * it has them. Sending one twice is harmless: the service knows it by its number.
 */
export class Outbox {
  /**
   * @param {import("./scope.js").Scope} scope
   * @param {import("./record.js").RecordBook} book
   * @param {{answered: (body: any) => void, gone: (status: number, code: string) => void,
   *   online: (yes: boolean) => void}} told
   */
  constructor(scope, book, told) {
    this.scope = scope;
    this.book = book;
    this.told = told;
    this.paused = true; // until there is a lease
    this.failures = 0;
    this.sending = false;
    this.batch = MOST_AT_ONCE;
    scope.listen(window, "online", () => this.#retry(0));
  }

  /** Note an event; it is on its way within moments. */
  add(type, fields = {}) {
    const { kept } = this.book;
    kept.queue.push({ seq: kept.seq, type, at_ms: native.date(), ...fields });
    kept.seq += 1;
    if (kept.queue.length > MOST_KEPT) {
      kept.queue.shift();
      kept.lost += 1;
    }
    this.book.save();
    if (!this.cancelRetry) this.#retry(SOON_MS);
  }

  /** Send what waits, now. */
  async flush() {
    const { kept } = this.book;
    if (this.sending || this.paused || !kept.token) return;
    this.#cancel();
    this.sending = true;
    while (kept === this.book.kept && kept.queue.length && !this.paused) {
      this.#confess();
      const events = kept.queue.slice(0, this.batch);
      const told = await this.#post(events);
      if (kept !== this.book.kept || !this.#done(events, told)) break;
    }
    this.sending = false;
  }

  /** The page may be gone in a moment: hand the browser what waits, whatever is under way. */
  farewell() {
    const { kept } = this.book;
    if (this.paused || !kept.token || !kept.queue.length) return Promise.resolve();
    let count = kept.queue.length;
    while (count && native.encode(kept.queue.slice(0, count)).length > KEEPALIVE_BYTES) count >>= 1;
    const events = kept.queue.slice(0, count);
    return this.#post(events, { keepalive: true }).then((told) => {
      if (kept === this.book.kept && told.status === 200) this.#done(events, told);
    });
  }

  #post(events, more) {
    return post(this.book.kept, events, more);
  }

  /** Whether to go on with the next batch. */
  #done(events, { status, body, retry_s }) {
    if (later(status)) {
      if (this.failures++ === 0) this.told.online(false);
      this.#retry(backOff(this.failures, retry_s));
      return false;
    }
    if (this.failures) this.told.online(true);
    this.failures = 0;
    if (status === 200) {
      this.#forget(events, body?.rejected?.length ?? 0);
      const { kept } = this.book;
      kept.seq = Math.max(kept.seq, body?.next_seq ?? 0);
      this.book.save();
      this.told.answered(body ?? {});
      return true;
    }
    if (status === 413 && events.length > 1) {
      this.batch = Math.max(1, events.length >> 1);
      return true;
    }
    if (status === 400 || status === 413 || status === 415 || status === 422) {
      this.#forget(events, events.length); // the same again would be refused again
      this.book.save();
      return true;
    }
    this.paused = true;
    this.told.gone(status, body?.code ?? "");
    return false;
  }

  #forget(events, refused) {
    const { kept } = this.book;
    const gone = new Set(events.map((it) => it.seq));
    kept.queue = kept.queue.filter((it) => !gone.has(it.seq));
    kept.lost += refused;
  }

  /** What was lost is told like any other event. */
  #confess() {
    const { kept } = this.book;
    if (!kept.lost) return;
    const detail = String(kept.lost);
    kept.lost = 0;
    this.add("error", { code: "events_lost", detail });
  }

  #retry(ms) {
    this.#cancel();
    this.cancelRetry = this.scope.after(ms, () => {
      this.cancelRetry = undefined;
      this.flush();
    });
  }

  #cancel() {
    this.cancelRetry?.();
    this.cancelRetry = undefined;
  }
}

/** One batch. Where a gateway answers in the service's place, all is well to it and nothing stored. */
async function post(kept, events, more) {
  const body = native.encode({ sent_at_ms: native.date(), events });
  const told = await toSitting(kept, "events", "POST", "application/json", body, more);
  return told.status === 200 && told.body?.next_seq === undefined ? { ...told, status: 0 } : told;
}

/**
 * Deliver what an earlier page noted. `over`: there is nothing left to try, with `lost` events refused.
 *
 * @param {import("./record.js").Kept} kept
 */
export async function deliver(kept) {
  let lost = 0;
  for (let at = 0; at < kept.queue.length; at += MOST_AT_ONCE) {
    const events = kept.queue.slice(at, at + MOST_AT_ONCE);
    const { status, body: told } = await post(kept, events);
    if (later(status)) return { over: false, lost };
    lost += status === 200 ? (told?.rejected?.length ?? 0) : events.length;
  }
  return { over: true, lost };
}
