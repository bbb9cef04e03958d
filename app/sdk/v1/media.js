import * as native from "./native.js";

const MEDIA = "video, audio";
const NEAR_S = 1;

/**
 * Where the element that is studied is to be found, now and whenever a player has put another one
 * in its place: by a selector or a function of the page, inside a box, or, where the page gave the
 * element itself, as the only one that plays a film as long in what is left around it.
 *
 * @param {HTMLMediaElement | Element | string | (() => Element | null)} video
 * @param {(element: HTMLMediaElement) => boolean} free  whether it is no other lesson's
 * @returns {() => HTMLMediaElement | null}
 */
export function finder(video, free) {
  const inside = (box) => {
    const found = !box || box instanceof HTMLMediaElement ? box : within(box);
    return found && free(found) ? found : null;
  };
  if (typeof video === "string") return () => inside(document.querySelector(video));
  if (typeof video === "function") return () => inside(video());
  if (!(video instanceof Element)) throw new TypeError("zhenxue: `video` is no element, selector or function");
  if (!(video instanceof HTMLMediaElement)) return () => (video.isConnected ? inside(video) : null);
  let element = video;
  let around = ancestors(video);
  return () => {
    if (element.isConnected) {
      if (around.length === 0) around = ancestors(element);
      return inside(element);
    }
    const left = around.find((it) => it.isConnected);
    const others = [...((left?.shadowRoot ?? left)?.querySelectorAll(MEDIA) ?? [])];
    if (others.length === 1 && free(others[0]) && asLong(element, others[0])) {
      element = others[0];
      around = ancestors(element);
      return element;
    }
    return null;
  };
}

/** Whether what shows the film there is a web component with a closed shadow: nothing hears it. */
export function sealed(video) {
  const box = typeof video === "string" ? document.querySelector(video) : typeof video === "function" ? video() : video;
  if (!box || box instanceof HTMLMediaElement || within(box)) return false;
  const shut = (it) => customElements.get(it.localName) && !it.shadowRoot && !it.firstElementChild && it.offsetHeight > 0;
  return [box, ...box.querySelectorAll("*")].some(shut);
}

/** The first media element in a box, also inside of players that are web components. */
function within(box) {
  const plain = (box.shadowRoot ?? box).querySelector(MEDIA) ?? box.querySelector(MEDIA);
  if (plain) return plain;
  for (const it of [...(box.shadowRoot?.querySelectorAll("*") ?? []), ...box.querySelectorAll("*")]) {
    const found = it.shadowRoot && within(it);
    if (found) return found;
  }
  return null;
}

/** What holds an element, without the page as a whole: there the next lesson's player may be. A shadow
 * and the host of a web component hold what is in the shadow, also of a closed one. */
function ancestors(element) {
  const above = (it) => it.parentNode ?? it.host ?? null;
  const found = [];
  for (let it = above(element); it && it !== document.body && it !== document; it = above(it)) found.push(it);
  if (element.parentElement === document.body) found.push(document.body);
  return found;
}

/** Whether it may be the same film, as far as both are known. */
function asLong(one, other) {
  const [was, is] = [native.duration(one), native.duration(other)];
  return !(was > 0) || !(is > 0) || Math.abs(was - is) <= NEAR_S;
}

/** The element that is studied, with what listens to it; `look()` follows it to the next one. */
export class Media {
  #handlers = [];

  /**
   * @param {import("./scope.js").Scope} scope
   * @param {() => HTMLMediaElement | null} find
   */
  constructor(scope, find) {
    this.scope = scope;
    this.find = find;
    this.element = find();
    this.own = scope.inner();
    this.gone = false;
  }

  listen(type, handler) {
    this.#handlers.push([type, handler]);
    this.own.listen(this.element, type, handler);
  }

  /** Told when another element took the place of `_last`. */
  replaced = (_last) => {};

  /** Whether the page still has the element, or another one in its place. */
  look() {
    const found = this.find();
    this.gone = !found;
    if (!found || found === this.element) return !this.gone;
    const last = this.element;
    this.own.end();
    this.own = this.scope.inner();
    this.element = found;
    for (const [type, handler] of this.#handlers) this.own.listen(found, type, handler);
    this.replaced(last);
    return true;
  }
}
