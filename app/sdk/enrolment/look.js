/** The looks of it: dark like a camera, white where its light is needed. */

export const STYLE = `
  :host { display: block; }
  * { box-sizing: border-box; }
  .sheet { display: flex; flex-direction: column; gap: 10px; min-height: 100vh; min-height: 100dvh; margin: 0 auto; max-width: 30rem;
    padding: max(12px, env(safe-area-inset-top)) max(16px, env(safe-area-inset-right))
      max(12px, env(safe-area-inset-bottom)) max(16px, env(safe-area-inset-left));
    font: 17px/1.5 system-ui, "PingFang SC", "Microsoft YaHei", sans-serif; color: #fff; background: #111827; }
  .sheet.lamp { color: #111827; background: #fff; }
  h1 { font-size: 1.25rem; margin: 0; }
  h1 small, .both small { display: block; font-size: 0.8rem; font-weight: 400; line-height: 1.35; opacity: 0.85; }
  .steps { display: flex; gap: 4px; list-style: none; margin: 0; padding: 0; font-size: 0.75rem; text-align: center; }
  .steps li { flex: 1; border-top: 4px solid #6b7280; padding-top: 2px; white-space: nowrap; }
  .steps .there { border-color: #10b981; }
  .steps [aria-current] { border-color: #f59e0b; font-weight: 700; }
  .both { margin: 0; }
  .say { font-size: 1.4rem; font-weight: 700; line-height: 1.3; min-height: 3.6rem; outline: none; }
  .say.long { font-size: 1.15rem; font-weight: 400; }
  .say small { margin-top: 2px; }
  .stage { position: relative; flex: 1 1 16rem; min-height: 12rem; border-radius: 16px; overflow: hidden; background: #000; }
  .stage video, .stage canvas { position: absolute; inset: 0; width: 100%; height: 100%; object-fit: cover; transform: scaleX(-1); }
  .oval { position: absolute; left: 50%; top: 50%; height: 78%; max-width: 84%; aspect-ratio: 3 / 4; transform: translate(-50%, -50%);
    border: 4px solid #fff; border-radius: 50%; box-shadow: 0 0 0 100vmax #11182799; }
  .lamp .oval { border-color: #1d4ed8; box-shadow: 0 0 0 100vmax #fffc; }
  .nearer .oval { height: 94%; max-width: 96%; }
  .count { position: absolute; inset: 0; display: grid; place-items: center; font-size: 7rem; font-weight: 700; color: #fff;
    text-shadow: 0 0 16px #000; }
  .note { padding: 8px 12px; border-radius: 10px; background: #fef3c7; color: #78350f; }
  .refused { background: #fee2e2; color: #7f1d1d; font-size: 1.15rem; }
  .good { background: #d1fae5; color: #064e3b; font-size: 1.15rem; }
  .buttons { display: flex; flex-direction: column; gap: 8px; }
  button { font: inherit; font-size: 1.15rem; font-weight: 700; min-height: 52px; padding: 6px 16px; border-radius: 12px;
    border: 2px solid #6b7280; background: transparent; color: inherit; cursor: pointer; }
  button small { font-size: 0.8rem; font-weight: 400; margin-left: 8px; }
  button.first { background: #1d4ed8; border-color: #1d4ed8; color: #fff; }
  button:not(.first) { font-size: 1rem; font-weight: 400; min-height: 44px; }
  button:focus-visible { outline: 3px solid #f59e0b; outline-offset: 2px; }
  .unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  @media (max-height: 700px) {
    .sheet { gap: 6px; padding-top: max(6px, env(safe-area-inset-top)); }
    h1 { font-size: 1rem; }
    h1 small { display: inline; margin-left: 8px; }
    .say { font-size: 1.2rem; min-height: 0; }
    .stage { min-height: 9rem; }
    .note { padding: 4px 10px; font-size: 1rem; line-height: 1.35; }
    button.first { min-height: 48px; }
  }
  [hidden] { display: none !important; }
`;

/** @param {string} name @param {string} [className] @param {string} [text] */
export function element(name, className = "", text = "") {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}

/** Write Chinese, and English below it in small. @param {HTMLElement} node @param {string[]} words */
export function say(node, [zh, en]) {
  const small = element("small", "", en);
  small.lang = "en";
  node.replaceChildren(zh, small);
  return node;
}
