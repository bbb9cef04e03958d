// A reading line in the session picture: the server's time and the content position under the
// pointer. The picture says everything without it.
const figure = document.querySelector(".picture-scroll");
const picture = figure?.querySelector("svg");
const plot = picture?.querySelector(".plot");
if (plot) {
  const data = picture.dataset;
  const line = document.createElementNS("http://www.w3.org/2000/svg", "line");
  const label = document.createElementNS("http://www.w3.org/2000/svg", "text");
  line.setAttribute("class", "reading");
  label.setAttribute("class", "reading-text");
  picture.append(line, label);
  const x0 = plot.x.baseVal.value, width = plot.width.baseVal.value;
  const y0 = plot.y.baseVal.value, height = plot.height.baseVal.value;
  const two = (value) => String(Math.floor(value)).padStart(2, "0");
  const clock = (ms) => {
    const s = Math.floor(ms / 1000) % 86400;
    return `${two(s / 3600)}:${two((s / 60) % 60)}:${two(s % 60)}`;
  };
  const content = (ms) => `${two(ms / 60000)}:${two((ms / 1000) % 60)}`;
  picture.addEventListener("pointermove", (event) => {
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(
      picture.getScreenCTM().inverse());
    const inside = at.x >= x0 && at.x <= x0 + width;
    line.toggleAttribute("hidden", !inside);
    label.toggleAttribute("hidden", !inside);
    if (!inside) return;
    const time = Number(data.from) + ((at.x - x0) / width) * (data.to - data.from);
    const place = ((y0 + height - at.y) / height) * data.content;
    for (const [name, value] of [["x1", at.x], ["x2", at.x], ["y1", y0],
      ["y2", picture.viewBox.baseVal.height - 26]]) line.setAttribute(name, value);
    const right = at.x > x0 + width - 120;
    label.setAttribute("x", at.x + (right ? -6 : 6));
    label.setAttribute("y", y0 + 14);
    label.setAttribute("text-anchor", right ? "end" : "start");
    label.textContent = clock(time + 8 * 3600000)
      + (place >= 0 && place <= data.content ? ` · ${content(place)}` : "");
  });
}
// A mark leads to its row, which may lie in a folded section: open it first.
const unfold = () => document.getElementById(location.hash.slice(1))?.closest("details")
  ?.setAttribute("open", "");
addEventListener("hashchange", unfold);
unfold();
// On paper nothing is folded: the lists of controls and photos belong to the file.
const folded = () => document.querySelectorAll("details.card:not([open])");
let unfolded = [];
addEventListener("beforeprint", () => {
  unfolded = [...folded()];
  unfolded.forEach((it) => it.setAttribute("open", ""));
});
addEventListener("afterprint", () => unfolded.forEach((it) => it.removeAttribute("open")));
// The row that a mark leads to is lit while the pointer or the focus is on the mark.
for (const mark of figure?.querySelectorAll("a[href^='#']") ?? []) {
  const row = document.getElementById(mark.getAttribute("href").slice(1));
  const lit = (on) => () => row?.classList.toggle("pointed", on);
  for (const name of ["pointerenter", "focus"]) mark.addEventListener(name, lit(true));
  for (const name of ["pointerleave", "blur"]) mark.addEventListener(name, lit(false));
}
