// "Choose all" above a list of boxes.
for (const all of document.querySelectorAll("[data-ticks-all]")) {
  const boxes = all.form.querySelectorAll('input[type="checkbox"][name]');
  all.addEventListener("change", () => {
    for (const box of boxes) box.checked = all.checked;
  });
}
