// Zhenxue for a platform's server: open a sitting, forward what the player tells, close it, verify
// webhooks. Node 20 or later and whatever else has `fetch` and WebCrypto; no dependencies.
//
//   const zhenxue = new Zhenxue("https://zhenxue.example", key);
//   const sitting = await zhenxue.open({ learner_id, class_id, lesson_id, device_id, window_id });
//   sitting.add({ type: "progress", at_ms: Date.now(), position: 10, rate: 1, visible: true, focused: true });
//   await sitting.flush(); // what the page has to do now is in sitting.controls
//   await sitting.close("finished");
//
// Every call is sent again until it is answered, for `patience_ms`: after 503 and 429 as late as the
// service says, after silence twice as late each time. Sent again it counts once: a sitting by its
// `session_id`, a batch by its `batch_id`, a photo by its `snapshot_id`. What was not acknowledged
// stays in the sitting and goes with the next `flush`; to outlive your process, keep events in your
// own queue and hand them to `Zhenxue.forward` under a `batch_id` of your own.

const MOST_EVENTS = 1000; // in one batch
const TRY_AGAIN = new Set([408, 429, 502, 503, 504]);

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json | undefined };
export type JsonObject = { [name: string]: Json | undefined };

export interface Event {
  type: string;
  at_ms: number;
  position?: number;
  rate?: number;
  visible?: boolean;
  focused?: boolean;
  [field: string]: Json | undefined;
}

export interface Terms {
  learner_id: string;
  class_id: string;
  lesson_id: string;
  device_id: string;
  window_id: string;
  session_id?: string;
  client?: JsonObject;
  started_at_ms?: number;
}

export interface Lease {
  token: string; // for a browser: it writes to this sitting alone
  expires_at_ms: number;
  heartbeat_s: number;
}

export interface Rejected {
  index: number;
  code: string;
  detail: string;
}

export interface BatchAnswer {
  accepted: number;
  duplicates: number;
  rejected: Rejected[];
  controls: JsonObject;
}

export interface PlatformControl {
  control: "popup" | "snapshot" | "face_check";
  challenge_id: string;
  issued_at_ms: number;
  shown_at_ms?: number;
  answered_at_ms?: number;
}

interface Opened {
  session_id: string;
  lease: Lease;
  resume_position: number;
  controls: JsonObject;
}

/** The service answered no. `code` is for programs, `problem` the whole answer. */
export class Refused extends Error {
  readonly code: string | undefined;

  constructor(
    readonly status: number,
    readonly problem: { code?: string; detail?: string; errors?: Rejected[] },
  ) {
    super(`${status} ${problem.code}: ${problem.detail}`);
    this.code = problem.code;
  }
}

/** Nobody answered within the patience. Call again: it counts once. */
export class Unanswered extends Error {}

/** A webhook that this service did not sign, or signed too long ago. */
export class BadSignature extends Error {}

export interface Options {
  timeout_ms?: number;
  patience_ms?: number;
}

export class Zhenxue {
  private readonly address: string;
  private readonly timeout: number;
  private readonly patience: number;

  constructor(
    address: string,
    private readonly key: string,
    { timeout_ms = 30_000, patience_ms = 300_000 }: Options = {},
  ) {
    this.address = address.replace(/\/+$/, "");
    this.timeout = timeout_ms;
    this.patience = patience_ms;
  }

  /** Open a sitting, or renew the open one of that `session_id`. */
  async open(terms: Terms): Promise<Sitting> {
    const body = { session_id: crypto.randomUUID(), ...terms };
    return new Sitting(this, await this.call<Opened>("POST", "/v1/sessions", body));
  }

  /** Events of any number of sittings, without `seq`; the answers, one for each thousand. Under the
   * same `batch_id` the same events count once. */
  async forward(
    events: (Event & { session_id: string })[],
    batch_id: string = crypto.randomUUID(),
  ): Promise<Omit<BatchAnswer, "controls">[]> {
    const answers: BatchAnswer[] = [];
    for (let at = 0; at < events.length; at += MOST_EVENTS) {
      const name = at === 0 ? batch_id : `${batch_id}/${at / MOST_EVENTS}`;
      const body = { batch_id: name, events: events.slice(at, at + MOST_EVENTS) };
      answers.push(await this.call("POST", "/v1/events", body));
    }
    return answers;
  }

  /** State, credited intervals, controls, and the verdict once there is one. */
  sitting<T = JsonObject>(session_id: string): Promise<T> {
    return this.call<T>("GET", `/v1/sessions/${encodeURIComponent(session_id)}`);
  }

  /** Any operation of /openapi.json; `body` as JSON, or bytes as they are. Throws `Refused` and
   * `Unanswered`. */
  async call<T = JsonObject>(
    method: string,
    path: string,
    body?: object,
    content_type = "application/json",
  ): Promise<T> {
    const until = Date.now() + this.patience;
    const raw = body instanceof Uint8Array || body === undefined;
    const init: RequestInit = {
      method,
      headers: { authorization: `Bearer ${this.key}`, "content-type": content_type },
      ...(body === undefined ? {} : { body: raw ? (body as unknown as BodyInit) : JSON.stringify(body) }),
    };
    for (let wait = 500; ; wait = Math.min(30_000, wait * 2)) {
      let pause = wait * (0.5 + Math.random() / 2);
      let silence: unknown;
      try {
        const signal = AbortSignal.timeout(this.timeout);
        const answer = await fetch(this.address + path, { ...init, signal });
        const told = await answer.text();
        if (answer.ok) return JSON.parse(told || "{}") as T;
        if (!TRY_AGAIN.has(answer.status)) throw new Refused(answer.status, problemOf(told));
        silence = `${answer.status} ${told.slice(0, 200)}`;
        const seconds = answer.headers.get("retry-after") ?? "";
        if (/^\d{1,5}$/.test(seconds)) pause = Number(seconds) * 1000;
      } catch (error) {
        if (error instanceof Refused) throw error;
        silence = error;
      }
      if (Date.now() + pause > until) throw new Unanswered(`${method} ${path}: ${silence}`);
      await new Promise((done) => setTimeout(done, pause));
    }
  }
}

/** An open sitting. One `flush` at a time. */
export class Sitting {
  readonly session_id: string;
  readonly lease: Lease;
  readonly resume_position: number;
  /** What the page has to do now, of the last answer. */
  controls: JsonObject;
  accepted = 0;
  duplicates = 0;
  /** Events that the service refused, with reasons. */
  readonly rejected: (Rejected & { event: Event })[] = [];
  private readonly path: string;
  private waiting: Event[] = [];
  private readonly sent: { batch_id: string; events: Event[] }[] = []; // named, not acknowledged

  constructor(
    private readonly zhenxue: Zhenxue,
    opened: Opened,
  ) {
    this.session_id = opened.session_id;
    this.lease = opened.lease;
    this.resume_position = opened.resume_position;
    this.controls = opened.controls;
    this.path = `/v1/sessions/${encodeURIComponent(this.session_id)}`;
  }

  /** Keep an event for the next `flush`. */
  add(event: Event): void {
    this.waiting.push(event);
  }

  /** Send what waits; the controls that are due. Throws `Unanswered` and keeps what was not
   * acknowledged, under the name by which it is known again. Throws `Refused` where the sitting takes
   * no more: the events then stand in `rejected`. */
  async flush(): Promise<JsonObject> {
    while (this.waiting.length > 0) {
      const events = this.waiting.splice(0, MOST_EVENTS);
      this.sent.push({ batch_id: crypto.randomUUID(), events });
    }
    for (let batch = this.sent[0]; batch !== undefined; batch = this.sent[0]) {
      try {
        const answer = await this.zhenxue.call<BatchAnswer>("POST", `${this.path}/events`, batch);
        this.accepted += answer.accepted;
        this.duplicates += answer.duplicates;
        this.controls = answer.controls;
        this.reject(batch.events, answer.rejected);
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        if (error.status === 401 || error.status === 403) throw error; // another key, and they go
        const { code = "refused", detail = "" } = error.problem;
        const all = batch.events.map((_, index) => ({ index, code, detail }));
        this.sent.shift();
        this.reject(batch.events, error.problem.errors ?? all);
        if (code !== "no_event_accepted") throw error;
        continue;
      }
      this.sent.shift();
    }
    return this.controls;
  }

  private reject(events: Event[], told: Rejected[]): void {
    for (const fault of told) {
      const event = events[fault.index];
      if (event !== undefined) this.rejected.push({ ...fault, event });
    }
  }

  /** Pop-ups, photos and face checks that the platform asked for itself, in a class with
   * `controls: platform`. */
  report_controls(...controls: PlatformControl[]): Promise<JsonObject> {
    return this.zhenxue.call("POST", `${this.path}/controls`, { controls });
  }

  /** A photo (JPEG, PNG, HEIC, WebP, BMP); `asked`: `purpose`, `taken_at_ms`, and `challenge_id` and
   * `frame` of whoever asked. */
  photo(
    snapshot_id: string,
    picture: Uint8Array,
    asked: Record<string, string>,
    content_type = "image/jpeg",
  ): Promise<JsonObject> {
    const path = `${this.path}/snapshots/${encodeURIComponent(snapshot_id)}?${new URLSearchParams(asked)}`;
    return this.zhenxue.call("PUT", path, picture, content_type);
  }

  /** Send what waits, and end the sitting; closing twice changes nothing. */
  async close(reason = "closed"): Promise<void> {
    await this.flush();
    await this.zhenxue.call("POST", `${this.path}/close`, { reason });
  }
}

export interface Message {
  id: string;
  type: string;
  data: JsonObject;
}

/** Verifies webhooks (Standard Webhooks). While a secret is exchanged give the new and the former. */
export class Webhooks {
  private readonly secrets: string[];
  private readonly handled = new Set<string>();

  constructor(
    secrets: string | string[],
    private readonly tolerance_s = 300,
    private readonly now: () => number = Date.now,
  ) {
    this.secrets = [secrets].flat();
  }

  /** The message. `headers` by lower-case name, `body` as it came. Throws `BadSignature`. */
  async verify(headers: Record<string, string | undefined>, body: string): Promise<Message> {
    const id = headers["webhook-id"];
    const when = headers["webhook-timestamp"];
    const given = headers["webhook-signature"];
    if (!id || !given || !when || !/^\d{1,12}$/.test(when))
      throw new BadSignature("the headers of a webhook are missing");
    if (Math.abs(this.now() / 1000 - Number(when)) > this.tolerance_s)
      throw new BadSignature(`signed at ${when}, too far from now`);
    const signed = new TextEncoder().encode(`${id}.${when}.${body}`);
    const signatures = given.split(" ").filter((it) => it.startsWith("v1,"));
    for (const secret of this.secrets)
      for (const signature of signatures)
        if (await fits(secret, signature.slice(3), signed)) {
          const { type, data } = JSON.parse(body) as Omit<Message, "id">;
          return { id, type, data };
        }
    throw new BadSignature("signed with another secret, or altered");
  }

  /** Verify, and hand to `handler` what was not handled before; whether it was new. The last 10,000
   * are remembered in memory: with several processes keep the ids in your database. */
  async handle(
    headers: Record<string, string | undefined>,
    body: string,
    handler: (message: Message) => unknown,
  ): Promise<boolean> {
    const message = await this.verify(headers, body);
    if (this.handled.has(message.id)) return false;
    await handler(message);
    this.handled.add(message.id);
    const [oldest] = this.handled;
    if (this.handled.size > 10_000 && oldest !== undefined) this.handled.delete(oldest);
    return true;
  }
}

/** Compared by WebCrypto, which takes as long for a wrong signature as for a right one. */
async function fits(secret: string, signature: string, signed: Uint8Array<ArrayBuffer>): Promise<boolean> {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey(
    "raw", bytes(secret.replace(/^whsec_/, "")), algorithm, false, ["verify"],
  ); // prettier-ignore
  try {
    return await crypto.subtle.verify("HMAC", key, bytes(signature), signed);
  } catch {
    return false; // no base64
  }
}

function bytes(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (it) => it.charCodeAt(0));
}

function problemOf(text: string): { code?: string; detail?: string; errors?: Rejected[] } {
  try {
    return (JSON.parse(text) as { code?: string }) ?? {};
  } catch {
    return { detail: text.slice(0, 200) };
  }
}
