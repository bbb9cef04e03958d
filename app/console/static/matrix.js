// The matrix by keyboard and without leaving the page: arrows move among its cells, and a cell shows
// the sittings behind it. Without this script every cell is an ordinary link.
const matrix = document.querySelector(".matrix tbody");
const cells = [...(matrix?.querySelectorAll("a.hour") ?? [])];
const across = matrix?.rows[0]?.querySelectorAll("a.hour").length ?? 1;
const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -across, ArrowDown: across };

cells.slice(1).forEach((cell) => (cell.tabIndex = -1)); // one stop for Tab, not 3,200

function goes(at, key) {
  const row = at - (at % across);
  if (key === "Home") return row;
  if (key === "End") return row + across - 1;
  const to = at + steps[key];
  const leaves = Math.abs(steps[key]) === 1 && (to < row || to >= row + across);
  return leaves ? at : to;
}

matrix?.addEventListener("keydown", (event) => {
  const at = cells.indexOf(event.target);
  if (at < 0 || !(event.key in steps || ["Home", "End"].includes(event.key))) return;
  event.preventDefault();
  (cells[goes(at, event.key)] ?? event.target).focus();
});

matrix?.addEventListener("focusin", (event) => {
  if (!cells.includes(event.target)) return;
  matrix.querySelector('a.hour[tabindex="0"]')?.setAttribute("tabindex", "-1");
  event.target.tabIndex = 0;
});

const card = document.createElement("div");
card.popover = "auto";
card.className = "beside";

function place(cell) {
  const at = cell.getBoundingClientRect();
  const left = Math.min(at.left, innerWidth - card.offsetWidth - 12);
  const below = at.bottom + 6 + card.offsetHeight < innerHeight;
  card.style.left = `${Math.max(12, left)}px`;
  card.style.top = `${Math.max(12, below ? at.bottom + 6 : at.top - 6 - card.offsetHeight)}px`;
}

async function show(cell) {
  const answer = await fetch(cell.href);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const told = page.getElementById("class-hour");
  if (!told) return location.assign(cell.href); // signed out meanwhile, or gone
  card.replaceChildren(told);
  card.showPopover();
  place(cell);
  told.querySelector("a")?.focus();
}

if (matrix && card.showPopover) {
  document.body.append(card);
  matrix.addEventListener("click", (event) => {
    const cell = event.target.closest("a.hour");
    if (!cell || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    show(cell).catch(() => location.assign(cell.href));
  });
}
