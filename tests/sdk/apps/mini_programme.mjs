// A mini-programme's page, studied in without a phone: `wx` or `uni` is imitated, time passes by leaps,
// and every request goes over the network to the service under test.
//
//   node mini_programme.mjs SERVICE FOLDER STORY
//
// FOLDER holds the page out of the guide. What became of it is printed as JSON.

import { readFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { pathToFileURL } from "node:url";

const [service, folder, story] = process.argv.slice(2);
const { film_s, until_s, outage, background, killed, camera = true } = JSON.parse(story);
const HOSTS = { "https://zhenxue.example": service, "https://platform.example": service };
const told = { batches: 0, seqs: [], noted: {}, failed: 0, photos: 0, popups: 0, prompts: [], stopped: [], from: [] };

// ---------------------------------------------------------------- the network (fetch would wait by our clock)

const agent = new Agent({ keepAlive: true });
const pause = globalThis.setTimeout;
/** A service that has enough for a moment is asked again: here, the moment would be minutes of the lesson. */
async function call(...asked) {
  for (;;) {
    const answer = await ask(...asked);
    if (answer.status !== 503) return answer;
    await new Promise((go) => pause(go, 200));
  }
}
function ask(url, method = "POST", headers = {}, body = undefined) {
  return new Promise((done, fail) => {
    const asked = request(url, { method, headers, agent }, (answer) => {
      const parts = [];
      answer.on("data", (part) => parts.push(part));
      answer.on("end", () => done({ status: answer.statusCode, headers: answer.headers, bytes: Buffer.concat(parts) }));
    });
    asked.on("error", fail);
    asked.end(body === undefined ? undefined : typeof body === "string" ? body : Buffer.from(body));
  });
}

// ---------------------------------------------------------------- time

const began = Number(JSON.parse((await call(`${service}/clock`)).bytes).now_ms);
let passed_ms = 0; // here
let moved_ms = 0; // at the service, as far as it was told
let names = 0;
const timers = new Map();
const immediate = globalThis.setImmediate;
Date.now = () => began + passed_ms;
globalThis.setTimeout = (run, ms = 0) => {
  names += 1;
  timers.set(names, { at: passed_ms + Math.max(ms, 0), run, name: names });
  return names;
};
globalThis.clearTimeout = (name) => timers.delete(name);

let pending = 0;
async function settled() {
  do for (let n = 0; n < 4; n += 1) await new Promise(immediate);
  while (pending);
}

/** Everything that waits runs in its order; while the app is frozen, nothing does. */
async function pass(seconds, frozen = false) {
  const until = passed_ms + Math.round(seconds * 1000);
  for (;;) {
    const next = [...timers.values()].sort((one, other) => one.at - other.at || one.name - other.name)[0];
    if (frozen || !next || next.at > until) break;
    passed_ms = Math.max(passed_ms, next.at);
    timers.delete(next.name);
    next.run();
    await settled();
  }
  passed_ms = until;
}

/** The service's clock goes on whenever it is asked something. */
async function moveOn() {
  const seconds = (passed_ms - moved_ms) / 1000;
  moved_ms = passed_ms;
  if (seconds) await call(`${service}/clock?seconds=${seconds}`);
}

// ---------------------------------------------------------------- the phone

let online = true;
const store = new Map();
const files = new Map();
let page;

async function send({ url, method, data, header }) {
  const host = Object.keys(HOSTS).find((it) => url.startsWith(`${it}/`));
  if (!host) throw new Error(`a request to ${url}`);
  await moveOn();
  const events = url.endsWith("/events") ? JSON.parse(data).events : [];
  const answer = await call(HOSTS[host] + url.slice(host.length), method, header, data);
  const body = JSON.parse(answer.bytes);
  if (events.length && answer.status === 200) {
    told.batches += 1;
    told.seqs.push(...events.map((it) => it.seq));
  }
  if (url.includes("/snapshots/") && answer.status === 202) told.photos += 1;
  return { statusCode: answer.status, data: body, header: answer.headers };
}

const player = {
  playing: false,
  at: 0,
  play() {
    if (this.playing || this.at >= film_s) return;
    this.playing = true;
    page.hears("play");
    this.turn();
  },
  pause() {
    if (!this.playing) return;
    this.playing = false;
    clearTimeout(this.timer);
    page.hears("pause");
  },
  turn() {
    this.timer = setTimeout(() => {
      this.at = Math.min(film_s, this.at + 0.5);
      page.hears("timeupdate", { currentTime: this.at, duration: film_s });
      if (!this.playing) return undefined; // the page paused it just now
      if (this.at < film_s) return this.turn();
      this.playing = false;
      page.hears("ended");
      return undefined;
    }, 500);
  },
};

const api = {
  request({ success, fail, ...asked }) {
    pending += 1;
    const done = (run) => {
      pending -= 1;
      run();
    };
    if (!online) {
      told.failed += 1;
      moveOn().then(() => done(() => fail({ errMsg: "request:fail" })));
      return;
    }
    send(asked).then((answer) => done(() => success(answer)), (error) => done(() => { throw error; }));
  },
  getStorageSync: (name) => store.get(name) ?? "",
  setStorageSync(name, text) {
    store.set(name, text);
    if (name !== "zhenxue:sitting" || !text) return;
    const { session: its, seq } = JSON.parse(text);
    if (its) told.noted[its] = seq;
  },
  getAppBaseInfo: () => ({ version: "8.0.50" }),
  createVideoContext: () => player,
  createCameraContext: () => ({
    takePhoto({ success }) {
      if (!page.sees("camera")) throw new Error("there is no <camera> in the page");
      pending += 1;
      const does = told.prompts.at(-1) ?? "";
      call(`${service}/camera?does=${page.prompted ? does : ""}`).then(({ bytes }) => {
        files.set("wxfile://tmp.jpg", bytes);
        pending -= 1;
        setTimeout(() => success({ tempImagePath: "wxfile://tmp.jpg" }), 120);
      });
    },
  }),
  getFileSystemManager: () => ({ readFile: ({ filePath, success }) => success({ data: files.get(filePath) }) }),
  showModal: ({ success }) => setTimeout(() => success({ confirm: camera }), 3000),
  authorize: ({ success }) => setTimeout(success, 500),
};

// ---------------------------------------------------------------- the page

const markup = readFileSync(`${folder}/page.html`, "utf8");
/** The name of the handler that the page gives an event of a tag. */
const handler = (tag, event) => new RegExp(`<${tag}\\s[^>]*?(?:bind|@)${event}="(\\w+)"`).exec(markup)?.[1];
const [, CONFIRM] = /<button[^>]*(?:bindtap|@click)="(\w+)[^>]*>我在学习/.exec(markup);
const SAYS = { 左: "turn_left", 右: "turn_right", 近: "nearer", 远: "farther" };

class Shown {
  constructor(own) {
    this.own = own;
  }

  hears(event, detail = {}) {
    const name = handler("video", event);
    if (name) this.own[name]({ detail });
    else if (event !== "waiting") throw new Error(`the page hears no ${event}`);
  }

  /** What the page has set lately. */
  changed(set) {
    if (set.camera) setTimeout(() => this.own[handler("camera", "initdone")]({ detail: {} }), 200);
    if (set.popup) {
      setTimeout(() => {
        told.popups += 1;
        this.own[CONFIRM]({ currentTarget: { dataset: {} } });
      }, 5000);
    }
    if (set.prompt !== undefined) {
      const does = Object.keys(SAYS).find((it) => set.prompt.includes(it));
      this.prompted = Boolean(set.prompt);
      if (this.prompted) told.prompts.push(SAYS[does] ?? "");
    }
    if (set.stopped) told.stopped.push(set.stopped);
    if (set.ready) told.from.push(set.from ?? this.own.from ?? 0);
  }

  sees(name) {
    return (this.own.data ?? this.own)[name];
  }
}
/** The page is opened, as the framework does it. */
async function opened() {
  const source = pathToFileURL(`${folder}/page.mjs`);
  let given;
  globalThis.Page = (own) => (given = own);
  globalThis.wx = api;
  globalThis.uni = api;
  given = (await import(`${source}?run=${(names += 1)}`)).default ?? given;
  const own = given.methods ? component(given) : { ...given, data: { ...given.data } };
  page = new Shown(own);
  own.setData ??= (set) => {
    Object.assign(own.data, set);
    page.changed(set);
  };
  own.onLoad({ lesson: "l1" });
  own.onShow();
  await settled();
  if (page.sees("ready")) player.at = told.from.at(-1);
  return own;
}

/** As uni-app has it: data that are written to, and methods beside the page's life. */
function component({ data, methods, ...life }) {
  const own = { ...life, ...methods };
  return new Proxy(Object.assign(own, data()), {
    set(it, name, value) {
      it[name] = value;
      if (name in data()) page?.changed({ [name]: value, from: it.from });
      return true;
    },
  });
}

// ---------------------------------------------------------------- the story

let own = await opened();
await pass(2);
player.at = told.from.at(-1) ?? 0;
player.play();
const marks = { outage, background, killed };
while (passed_ms / 1000 < until_s && player.at < film_s) {
  await pass(1);
  if (!player.playing && page.sees("ready") && !page.sees("popup") && !page.sees("camera") && !told.stopped.length) {
    if ((told.still = (told.still ?? 0) + 1) > 15) player.play(); // nothing goes on by itself: the learner presses
  } else told.still = 0;
  if (marks.outage && player.at >= marks.outage.at_s) {
    online = false;
    await pass(marks.outage.for_s);
    online = true;
    marks.outage = null;
  }
  if (marks.background && player.at >= marks.background.at_s) {
    own.onHide();
    await pass(1);
    await pass(marks.background.for_s, true);
    own.onShow();
    await settled();
    marks.background = null;
  }
  if (marks.killed && player.at >= marks.killed.at_s) {
    timers.clear(); // the system ended the app; what it keeps is what it stored
    player.playing = false;
    await pass(marks.killed.for_s);
    marks.killed = null;
    own = await opened();
    await pass(2);
    player.at = told.from.at(-1);
    player.play();
  }
}
await pass(3);
const session = JSON.parse(store.get("zhenxue:sitting")).session;
own.onUnload();
await settled();
console.log(JSON.stringify({ ...told, session, kept: store.get("zhenxue:sitting"), played_s: player.at, took_s: passed_ms / 1000 }));
agent.destroy();
