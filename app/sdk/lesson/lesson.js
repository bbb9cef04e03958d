import { start } from "/sdk/v1/zhenxue.js";

const show = (id, text) => (document.getElementById(id).textContent = text);
const LOGGED = 100;

const STATES = {
  waiting: "正在准备…",
  opening: "正在连接学习监管服务…",
  open: "可以学习，点播放",
  playing: "正在学习",
  refused: "现在不能开始学习",
  stopped: "计时已停止",
  over: "学习已结束",
};
const HEARD = {
  ...STATES,
  noted: "有一段时间不计入",
  offline: "网络不通，记录存在本机",
  online: "网络已恢复",
  answered: "服务器已收到",
  asked: "服务器要求核验",
  photo: "已拍照",
  camera_refused: "没有同意使用摄像头",
};
const OUTCOMES = {
  valid: "算数：本次学习有效。",
  invalid: "本次学习有一段不算数。",
  not_proven: "证据还不够，暂不算数。不是认定您违规，补学即可。",
  pending_review: "等工作人员看过再定，现在不算您违规。",
};

const learner = document.getElementById("learner");
learner.value = new URLSearchParams(location.search).get("learner") ?? "yi";
learner.addEventListener("change", () => location.assign(`?learner=${learner.value}`));

const video = document.getElementById("video");
const sitting = start({
  video,
  lesson: "film",
  lease: `/demo/lesson/lease?learner=${encodeURIComponent(learner.value)}`,
  on: note,
});

document.getElementById("stop").addEventListener("click", async () => {
  await sitting.stop();
  look();
});
setInterval(look, 3000);
setInterval(() => show("queue", sitting.queue.length ? `${sitting.queue.length}条` : "没有"), 500);

function note(name) {
  show("state", STATES[state() ?? name] ?? HEARD[name]);
  const line = document.createElement("li");
  line.textContent = `${new Date().toLocaleTimeString("zh-CN")} ${name}：${HEARD[name] ?? ""}`;
  const log = document.getElementById("log");
  log.prepend(line);
  if (log.children.length > LOGGED) log.lastChild.remove();
}

function state() {
  return sitting?.state === "open" && !video.paused ? "playing" : sitting?.state;
}

function span(seconds) {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}分${String(whole % 60).padStart(2, "0")}秒`;
}

/** What the platform's server reads of the service, with its key. */
async function look() {
  show("state", STATES[state()]);
  show("session", sitting.session ?? "–");
  if (!sitting.session) return;
  const answer = await fetch(`/demo/lesson/sittings/${sitting.session}`);
  if (!answer.ok) return;
  const told = await answer.json();
  show("stored", `服务器记下${told.event_count}条`);
  if (told.study) studied(told.study);
  if (told.state !== "open" && told.verdict) judged(told.verdict);
  const link = document.getElementById("console");
  link.href = told.console_path;
  link.hidden = false;
}

function studied({ counted_s, next_popup_within_s }) {
  show("counted", span(counted_s));
  show("next", next_popup_within_s === null ? "由平台安排" : `再学${span(next_popup_within_s)}以内`);
}

function judged({ outcome, credited_ms, findings }) {
  show("verdict", OUTCOMES[outcome] ?? outcome);
  const credited = document.getElementById("credited");
  credited.textContent = `计入学时${span(credited_ms / 1000)}`;
  credited.hidden = false;
  const lines = findings.map((it) => Object.assign(document.createElement("li"), { textContent: it.sentence.zh }));
  document.getElementById("reasons").replaceChildren(...lines);
}
