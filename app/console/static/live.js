// The part of the page that tells the present is fetched again and put in its place: the page does
// not move, the focus stays where it was, and nothing is fetched while nobody looks or after half an
// hour without a hand on mouse or keyboard, so that an open page does not keep a login alive.
const EVERY_MS = 10_000, UNATTENDED_MS = 30 * 60_000;
const part = document.querySelector("[data-live]");
const pause = document.querySelector("[data-live-pause]");
let touched = Date.now(), paused = false;

for (const it of ["pointerdown", "pointermove", "keydown", "wheel"])
  addEventListener(it, () => { touched = Date.now(); }, { passive: true });
pause.hidden = false;
pause.addEventListener("click", () => {
  paused = !paused;
  pause.setAttribute("aria-pressed", String(paused));
  if (!paused) again();
});

function put(fresh) {
  const held = part.contains(document.activeElement) ? document.activeElement : null;
  const place = held && (held.id || held.getAttribute("href"));
  const before = new Map([...part.querySelectorAll("tr[id]")].map((it) => [it.id, it.textContent]));
  const sideways = [...part.querySelectorAll(".scroll")].map((it) => it.scrollLeft);
  part.replaceChildren(...fresh.childNodes);
  part.querySelectorAll(".scroll").forEach((it, at) => { it.scrollLeft = sideways[at] ?? 0; });
  for (const it of part.querySelectorAll("tr[id]"))
    it.classList.toggle("changed", before.get(it.id) !== it.textContent);
  if (place)
    [...part.querySelectorAll("a, button")].find((it) => (it.id || it.getAttribute("href")) === place)
      ?.focus({ preventScroll: true });
}

async function again() {
  if (paused || document.hidden || Date.now() - touched > UNATTENDED_MS) return;
  try {
    const answer = await fetch(location.href, { headers: { accept: "text/html" } });
    if (answer.redirected) return location.reload(); // the login is over
    if (!answer.ok) throw new Error(String(answer.status));
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    put(page.querySelector("[data-live]"));
    part.classList.remove("stale");
  } catch {
    part.classList.add("stale"); // shows that what stands here is no longer the present
  }
}

setInterval(again, EVERY_MS);
document.addEventListener("visibilitychange", again);
