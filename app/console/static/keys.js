// Keyboard: j/k move through rows, x ticks one, Enter opens, / searches, u/o/m choose a decision. Without
// this script every page works with Tab and Enter.
const rows = () => [...document.querySelectorAll("[data-row]")];
const typing = (target) => target.matches("input:not([type=radio]):not([type=checkbox]), textarea, select");

function select(step) {
  const all = rows();
  if (!all.length) return;
  const now = all.findIndex((row) => row.classList.contains("current"));
  const next = Math.min(all.length - 1, Math.max(0, now + step));
  all.forEach((row) => row.classList.remove("current"));
  all[next].classList.add("current");
  const link = all[next].querySelector("[data-open]");
  (link ?? all[next]).focus();
  all[next].scrollIntoView({ block: "nearest" });
}

function decide(decision) {
  const radio = document.querySelector(`[data-decision=${decision}]`); // of the first open finding
  const folded = radio?.closest("details");
  if (folded) folded.open = true;
  if (!radio) return;
  radio.checked = true;
  const reason = radio.closest("form").querySelector("textarea");
  reason.focus();
  reason.scrollIntoView({ block: "center" });
}

const actions = {
  j: () => select(1),
  k: () => select(-1),
  u: () => decide("uphold"),
  o: () => decide("overturn"),
  m: () => decide("need_more"),
  x: () => document.querySelector("[data-row].current input[type=checkbox]")?.click(),
  n: () => document.querySelector("[data-next]")?.click(),
  "/": () => document.querySelector("[data-search]")?.focus(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape") document.activeElement?.blur();
  if (typing(event.target)) return;
  const action = actions[event.key];
  if (!action) return;
  event.preventDefault();
  action();
});

document.addEventListener("change", (event) => {
  const all = event.target.closest("[data-all]");
  if (all) all.form.querySelectorAll(`[name=${all.dataset.all}]`).forEach((box) => (box.checked = all.checked));
  const template = event.target.closest("[data-template]");
  if (!template || !template.value) return;
  const form = template.closest("form");
  const decision = template.selectedOptions[0].closest("optgroup").dataset.for; // a reason tells the decision
  if (!form.querySelector("[data-decision]:checked")) form.querySelector(`[data-decision=${decision}]`).checked = true;
  const reason = form.querySelector("textarea");
  reason.value = template.value;
  reason.focus();
});
