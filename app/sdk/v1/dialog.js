import { Scope } from "./scope.js";

const STYLE = `
  dialog { font: 16px/1.6 system-ui, "PingFang SC", "Microsoft YaHei", sans-serif; color: #1c2330; background: #fff;
    border: 0; border-radius: 12px; padding: 24px; max-width: min(26rem, calc(100vw - 32px)); box-sizing: border-box;
    box-shadow: 0 12px 48px #0006; }
  dialog::backdrop { background: #0009; }
  dialog:not(:modal) { position: fixed; z-index: 2147483647; inset: 0; margin: auto; height: fit-content; }
  h2 { font-size: 1.2em; margin: 0 0 8px; outline: none; }
  p { margin: 0 0 16px; }
  .buttons { display: flex; gap: 12px; flex-wrap: wrap; }
  button { font: inherit; min-height: 44px; padding: 8px 20px; border-radius: 8px; border: 1px solid #1d4ed8;
    background: #fff; color: #1d4ed8; cursor: pointer; }
  button.first { background: #1d4ed8; color: #fff; }
  button:focus-visible { outline: 3px solid #f59e0b; outline-offset: 2px; }
  video { display: block; max-width: min(100%, 320px); max-height: 42vh; margin: 0 auto 16px; border-radius: 8px; background: #000;
    transform: scaleX(-1); }
  .notice { position: fixed; z-index: 2147483647; inset: auto 16px 16px auto; max-width: 22rem; margin: 0; padding: 12px 16px;
    font: 15px/1.5 system-ui, "PingFang SC", "Microsoft YaHei", sans-serif; border-radius: 8px; background: #1c2330;
    color: #fff; border: 0; box-shadow: 0 4px 16px #0006; }
`;

/**
 * What the learner sees, in a shadow tree: the page's style sheets do not reach it, and the page's
 * policy need not allow inline code.
 */
export class Screen {
  /** @param {Scope} scope @param {string} language */
  constructor(scope, language) {
    this.language = language;
    this.host = document.createElement("div");
    this.host.lang = language === "zh" ? "zh-CN" : language;
    this.root = this.host.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    this.root.adoptedStyleSheets = [sheet];
    this.scope = scope;
    (document.body ?? document.documentElement).append(this.host);
    scope.add(() => this.host.remove());
  }

  /**
   * A dialog that `close()` takes away again: modal where it must be answered, else beside the page.
   *
   * @param {{title: string, text: string, buttons?: {label: string, press: (event: Event) => void, plain?: boolean}[],
   *   extra?: Node[], modal?: boolean, ready?: boolean}} what  `ready`: the first button has the keyboard
   * @returns {{close: () => void, say: (text: string) => void}}
   */
  ask({ title, text, buttons = [], extra = [], modal = true, ready = false }) {
    const scope = this.scope.inner();
    const heading = element("h2", title, { tabIndex: -1 });
    const told = element("p", text);
    const row = element("div", "", { className: "buttons" });
    const dialog = element("dialog");
    dialog.setAttribute("aria-label", title);
    buttons.forEach(({ label, press, plain }, at) => {
      const button = element("button", label, { type: "button", className: at || plain ? "" : "first" });
      scope.listen(button, "click", press, true);
      row.append(button);
    });
    dialog.append(heading, told, ...extra, ...(buttons.length ? [row] : []));
    scope.listen(dialog, "cancel", (event) => event.preventDefault()); // Escape is no answer
    this.root.append(dialog);
    const before = document.activeElement;
    scope.add(() => {
      dialog.remove();
      if (before instanceof HTMLElement) before.focus({ preventScroll: true });
    });
    const show = () => {
      if (modal) dialog.showModal();
      else dialog.show();
      ((ready && row.firstChild) || heading).focus();
    };
    show();
    // Chrome lets a second Escape close a dialog all the same.
    scope.listen(dialog, "close", () => dialog.isConnected && show());
    return { close: scope.end, say: (line) => (told.textContent = line) };
  }

  /** A line that waits for nothing. @returns {() => void} takes it away */
  notice(text) {
    const line = element("p", text, { className: "notice" });
    line.setAttribute("role", "status");
    this.root.append(line);
    return this.scope.add(() => line.remove());
  }
}

export function element(name, text = "", properties = {}) {
  const made = document.createElement(name);
  if (text) made.textContent = text;
  return Object.assign(made, properties);
}
