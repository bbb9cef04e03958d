// "Choose all" above a list of boxes, which may stand outside their form.
for (const all of document.querySelectorAll("[data-ticks-all]")) {
  const boxes = [...all.form.elements].filter((it) => it.type === "checkbox" && it.name);
  all.addEventListener("change", () => {
    for (const box of boxes) box.checked = all.checked;
  });
}
