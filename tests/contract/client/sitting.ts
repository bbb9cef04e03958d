// A sitting from its opening to its verdict, by a client made from the OpenAPI document alone.
//
//   node build/sitting.js ADDRESS KEY [CLOCK]
//
// CLOCK is where a service under test has its clock moved on; without it, time passes.

import createClient, { type Client } from "openapi-fetch";
import type { components, paths } from "./zhenxue.js";

type Schemas = components["schemas"];

declare const process: { argv: string[] };

const [address = "", key = "", clock] = process.argv.slice(2);
const BEAT_S = 10;

function client(token: string): Client<paths> {
  return createClient<paths>({
    baseUrl: address,
    headers: { authorization: `Bearer ${token}` },
  });
}

function good<T>(answer: { data?: T; error?: unknown; response: Response }): T {
  if (answer.data === undefined) {
    const { url, status } = answer.response;
    throw new Error(`${url}: ${status} ${JSON.stringify(answer.error)}`);
  }
  return answer.data;
}

async function pass(seconds: number): Promise<void> {
  if (clock === undefined) await new Promise((done) => setTimeout(done, seconds * 1000));
  else await fetch(`${clock}?seconds=${seconds}`, { method: "POST" });
}

const platform = client(key);

async function classIsOpen(): Promise<Schemas["Class"]> {
  const lesson = { lesson_id: "l1", order: 1, title: "第1讲", media_seconds: 2700, class_hours: 1 };
  const course = good(
    await platform.PUT("/v1/courses/{course_id}", {
      params: { path: { course_id: "generated" } },
      body: {
        title: "缝纫工基础",
        course_kind: "professional",
        sequential_lock: true,
        lessons: [lesson],
      },
    }),
  );
  const today = new Date(good(await platform.GET("/v1/keys")).keys[0]!.created_at_ms);
  const day = (ahead: number) =>
    new Date(today.getTime() + ahead * 86_400_000).toISOString().slice(0, 10);
  const path = { class_id: "generated" };
  const opened = good(
    await platform.PUT("/v1/classes/{class_id}", {
      params: { path },
      body: {
        institution: "潢川县示例培训学校",
        occupation: "缝纫工",
        mode: "online",
        course_ids: [course.course_id],
        starts_on: day(-2),
        ends_on: day(40),
        controls: "service",
      },
    }),
  );
  const learner = { learner_id: "lin", name: "林小兰", consent: { face: false } };
  const roster = good(
    await platform.PUT("/v1/classes/{class_id}/roster", {
      params: { path },
      body: { learners: [learner] },
    }),
  );
  if (roster.enrolled !== 1 || roster.rejected.length) throw new Error(JSON.stringify(roster));
  return opened;
}

class Sitting {
  private seq: number;
  private position = 0;
  private at_ms: number;
  private readonly browser: Client<paths>;
  answered = 0;
  accepted = 0;
  controls: Schemas["ControlsDue"];

  constructor(private readonly opened: Schemas["OpenedSession"]) {
    this.browser = client(opened.lease.token);
    this.seq = opened.next_seq;
    this.controls = opened.controls;
    this.at_ms = opened.lease.expires_at_ms;
  }

  async send(events: Schemas["EventBatch"]["events"]): Promise<void> {
    const told = good(
      await this.browser.POST("/v1/sessions/{session_id}/events", {
        params: { path: { session_id: this.opened.session_id } },
        body: { sent_at_ms: this.at_ms, events },
      }),
    );
    if (told.rejected.length) throw new Error(JSON.stringify(told.rejected));
    if (told.next_seq !== this.seq) throw new Error(`${told.next_seq} is not ${this.seq}`);
    this.accepted += told.accepted;
    this.controls = told.controls;
  }

  private stamp(): { seq: number; at_ms: number } {
    return { seq: this.seq++, at_ms: this.at_ms };
  }

  async starts(): Promise<void> {
    await this.send([{ type: "play", position: this.position, ...this.stamp() }]);
  }

  async beats(): Promise<void> {
    await pass(BEAT_S);
    this.at_ms += BEAT_S * 1000;
    this.position += BEAT_S;
    const seen = { rate: 1, visible: true, focused: true };
    await this.send([{ type: "progress", position: this.position, ...seen, ...this.stamp() }]);
  }

  async answers(popup: Schemas["PopupDue"]): Promise<void> {
    const named = { challenge_id: popup.challenge_id, nonce: popup.nonce };
    await this.send([{ type: "popup_shown", ...named, ...this.stamp() }]);
    await pass(2);
    this.at_ms += 2000;
    await this.send([{ type: "popup_answered", ...named, input: "pointer", ...this.stamp() }]);
    this.answered += 1;
  }

  async ends(): Promise<void> {
    await this.send([{ type: "pause", position: this.position, ...this.stamp() }]);
    good(
      await this.browser.POST("/v1/sessions/{session_id}/close", {
        params: { path: { session_id: this.opened.session_id } },
        body: { reason: "ended" },
      }),
    );
  }
}

async function verdict(session_id: string) {
  for (let tries = 0; tries < 600; tries++) {
    const told = good(
      await platform.GET("/v1/sessions/{session_id}", { params: { path: { session_id } } }),
    );
    if (told.verdict !== null) return told;
    await new Promise((done) => setTimeout(done, 100));
  }
  throw new Error("nobody judged the sitting");
}

const opened = await classIsOpen();
const names = { learner_id: "lin", class_id: opened.class_id, lesson_id: "l1" };
const session = good(
  await platform.POST("/v1/sessions", {
    body: { ...names, device_id: "phone", window_id: "w1", client: { user_agent: "generated" } },
  }),
);
const sitting = new Sitting(session);
await sitting.starts();
for (let beats = 0; beats < 200 && sitting.answered === 0; beats++) {
  await sitting.beats();
  const { popup } = sitting.controls;
  if (popup !== undefined && popup.due_in_s === 0) await sitting.answers(popup);
}
for (let beats = 0; beats < 3; beats++) await sitting.beats();
await sitting.ends();

const { state, controls, verdict: judged } = await verdict(session.session_id);
console.log(
  JSON.stringify({
    state,
    accepted: sitting.accepted,
    answered: controls.filter((it) => it.control === "popup" && it.answered_at_ms !== null).length,
    outcome: judged?.outcome,
    credited_ms: judged?.credited_ms,
    findings: judged?.findings.map((it) => `${it.rule}: ${it.sentence.en}`),
  }),
);
