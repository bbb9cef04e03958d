// A whole lesson with the platform's own pop-ups and photos: node lesson.js ADDRESS KEY HELP FOLDER
import { type PlatformControl, Zhenxue } from "./zhenxue.js";

declare const process: {
  argv: string[];
  getBuiltinModule(name: "node:fs"): { readFileSync(path: string): Uint8Array };
};

const [address = "", key = "", helper, folder] = process.argv.slice(2);
const { readFileSync } = process.getBuiltinModule("node:fs");
let now = 0;

/** The test's clock goes on, or its face worker takes its turn; the time then. */
async function help(what: string): Promise<void> {
  now = Number(await (await fetch(`${helper}${what}`, { method: "POST" })).text());
}

await help("/clock?seconds=0");
const where = { device_id: "phone", window_id: "tab" };
const sitting = await new Zhenxue(address, key).open({ learner_id: "lin", class_id: "c1", lesson_id: "l1", ...where });
const tell = (type: string, position: number): void =>
  sitting.add({ type, at_ms: now, position, rate: 1, visible: true, focused: true });

async function photo(name: string, control: PlatformControl["control"], purpose: string): Promise<void> {
  await sitting.report_controls({ control, challenge_id: name, issued_at_ms: now });
  const asked = { purpose, challenge_id: name, taken_at_ms: String(now) };
  await sitting.photo(name, readFileSync(`${folder}/${name}.jpg`), asked);
}

await photo("face-1", "face_check", "start");
for (let beat = 0; beat <= 270; beat++) {
  const position = beat * 10;
  tell("progress", position);
  if (beat % 24 === 23) {
    tell("pause", position);
    await sitting.flush();
    const asked_at = { issued_at_ms: now, shown_at_ms: now };
    await help("/clock?seconds=6");
    await sitting.report_controls({ control: "popup", challenge_id: `p${beat}`, ...asked_at, answered_at_ms: now });
    tell("play", position);
  }
  if (beat === 100) await photo("random-1", "snapshot", "random");
  if (beat === 150) await photo("face-2", "face_check", "challenge");
  await sitting.flush();
  await help("/clock?seconds=10");
}
tell("pause", 2700);
await help("/faces");
await sitting.close("finished");
if (sitting.rejected.length > 0) throw new Error(JSON.stringify(sitting.rejected));
console.log(sitting.session_id);
