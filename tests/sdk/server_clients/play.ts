// A whole sitting over a bad road, and webhooks: node play.js ADDRESS KEY AT_MS CLOCK PICTURE WEBHOOKS
import { Refused, Webhooks, Zhenxue } from "./zhenxue.js";

declare const process: {
  argv: string[];
  getBuiltinModule(name: "node:fs"): {
    readFileSync(path: string): Uint8Array;
    readFileSync(path: string, encoding: "utf8"): string;
  };
};

const [address = "", key = "", from, clock, picture = "", webhooks = ""] = process.argv.slice(2);
const { readFileSync } = process.getBuiltinModule("node:fs");
const zhenxue = new Zhenxue(address, key, { timeout_ms: 1000, patience_ms: 120_000 });
const where = { device_id: "phone", window_id: "tab" };
const sitting = await zhenxue.open({ learner_id: "lin", class_id: "c1", lesson_id: "l1", ...where });

let at_ms = Number(from);
for (let beat = 0; beat < 13; beat++) {
  const seen = { rate: 1, visible: true, focused: true };
  sitting.add({ type: "progress", at_ms, position: beat * 10, ...seen });
  if (beat % 2 === 1) await sitting.flush();
  at_ms += 10_000;
  await fetch(`${clock}?seconds=10`, { method: "POST" });
}
const issued_at_ms = at_ms - 20_000;
await sitting.report_controls(
  { control: "popup", challenge_id: "p1", issued_at_ms, shown_at_ms: issued_at_ms, answered_at_ms: at_ms - 15_000 },
  { control: "snapshot", challenge_id: "f1", issued_at_ms: at_ms - 9_000 },
);
const asked = { purpose: "random", challenge_id: "f1", taken_at_ms: String(at_ms) };
await sitting.photo("one", readFileSync(picture), asked, "image/png");
sitting.add({ type: "pause", at_ms, position: 120 });
await sitting.close("finished");
await zhenxue.open({ learner_id: "lin", class_id: "none", lesson_id: "l1", ...where }).catch((error) => {
  if (!(error instanceof Refused) || error.status !== 404) throw error;
});
if (sitting.accepted + sitting.duplicates !== 14) throw new Error(JSON.stringify(sitting));
console.log(sitting.session_id);

for (const line of readFileSync(webhooks, "utf8").split("\n").filter(Boolean)) {
  const [now, id, when, signatures, body = "", ...secrets] = line.split("\t");
  const headers = { "webhook-id": id, "webhook-timestamp": when, "webhook-signature": signatures };
  const receiver = new Webhooks(secrets, 300, () => Number(now) * 1000);
  console.log(await receiver.verify(headers, body).then(() => true, () => false));
}
