// What became of a face check that was asked for appears by itself, and asking for one loses nothing
// that was typed: only the parts that tell it are fetched again and put in their places.
const EVERY_MS = 5_000, UNATTENDED_MS = 30 * 60_000;
let touched = Date.now();

for (const it of ["pointerdown", "keydown", "wheel"])
  addEventListener(it, () => { touched = Date.now(); }, { passive: true });

async function again(answer, asked = false) {
  if (answer.redirected && !new URL(answer.url).pathname.startsWith(location.pathname)) return location.reload();
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of document.querySelectorAll(asked ? "[data-part]" : "[data-part]:not(#told)")) {
    const fresh = page.getElementById(part.id);
    if (fresh && fresh.innerHTML !== part.innerHTML) part.replaceChildren(...fresh.childNodes);
  }
}

addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("[data-ask]")) return;
  event.preventDefault();
  fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) }).then((it) => again(it, true)).catch(() => form.submit());
});
setInterval(() => {
  if (document.hidden || Date.now() - touched > UNATTENDED_MS) return;
  fetch(location.pathname, { headers: { accept: "text/html" } }).then((it) => again(it)).catch(() => {});
}, EVERY_MS);
