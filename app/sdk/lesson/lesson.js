import { start } from "/sdk/v1/zhenxue.js";

const show = (id, text) => (document.getElementById(id).textContent = text);
const LOGGED = 100;

const learner = document.getElementById("learner");
learner.value = new URLSearchParams(location.search).get("learner") ?? "yi";
learner.addEventListener("change", () => location.assign(`?learner=${learner.value}`));

const sitting = start({
  video: document.getElementById("video"),
  lesson: "film",
  lease: `/demo/lesson/lease?learner=${encodeURIComponent(learner.value)}`,
  on: note,
});

document.getElementById("stop").addEventListener("click", async () => {
  await sitting.stop();
  look();
});
setInterval(look, 3000);
setInterval(() => show("queue", sitting.queue.map((it) => `${it.seq} ${it.type}`).join(", ") || "0"), 500);

function note(name, detail) {
  show("state", sitting?.state ?? name);
  const line = document.createElement("li");
  line.textContent = `${new Date().toLocaleTimeString()} ${name} ${JSON.stringify(detail)}`;
  const log = document.getElementById("log");
  log.prepend(line);
  if (log.children.length > LOGGED) log.lastChild.remove();
}

function clock(ms) {
  const seconds = Math.floor(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** What the platform's server reads of the service, with its key. */
async function look() {
  show("state", sitting.state);
  show("session", sitting.session ?? "–");
  if (!sitting.session) return;
  const answer = await fetch(`/demo/lesson/sittings/${sitting.session}`);
  if (!answer.ok) return;
  const told = await answer.json();
  show("stored", `${told.event_count} 条事件 events, ${told.state}`);
  show("credited", told.credited.map(([from, to]) => `${clock(from)}–${clock(to)}`).join("，") || "–");
  show("verdict", told.verdict ? `${told.verdict.outcome}` : "学习结束后得出 · after the end");
  const link = document.getElementById("console");
  link.href = told.console_path;
  link.hidden = false;
}
