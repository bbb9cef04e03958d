// A form is sent once, however often its button is pressed before the answer is there.
const WHILE_MS = 3_000; // then it may be pressed again: the line was lost, or a file came and the page stayed
let sent = new WeakMap();
addEventListener("submit", (event) => {
  if (event.target.method !== "post") return;
  const pressed = event.submitter ?? event.target;
  if (performance.now() - (sent.get(pressed) ?? -WHILE_MS) < WHILE_MS) event.preventDefault();
  else sent.set(pressed, performance.now());
});
addEventListener("pageshow", () => (sent = new WeakMap())); // Back brings the page as it was left
