/**
 * The browser's own functions, captured while this module loads: what a page replaces afterwards
 * changes nothing that is reported. What replaced them before, no page can see.
 */

const { apply, getOwnPropertyDescriptor } = Reflect;

/** A method as a function of its object. @param {Function} method */
const free = (method) => (self, ...rest) => apply(method, self, rest);
const getter = (prototype, name) => free(getOwnPropertyDescriptor(prototype, name).get);
const setter = (prototype, name) => free(getOwnPropertyDescriptor(prototype, name).set);
const ofWindow = (name) => {
  const method = /** @type {any} */ (window)[name];
  return (...rest) => apply(method, window, rest);
};

export const date = Date.now;
const elapsed = free(Performance.prototype.now);
const { performance, document, crypto } = window;
/** Milliseconds that no setting of the clock moves. */
export const monotonic = () => elapsed(performance);

export const listen = free(EventTarget.prototype.addEventListener);
export const unlisten = free(EventTarget.prototype.removeEventListener);
export const after = ofWindow("setTimeout");
export const cancelAfter = ofWindow("clearTimeout");
export const every = ofWindow("setInterval");
export const cancelEvery = ofWindow("clearInterval");
export const frame = ofWindow("requestAnimationFrame");
export const cancelFrame = ofWindow("cancelAnimationFrame");

export const request = ofWindow("fetch");
export const status = getter(Response.prototype, "status");
export const text = free(Response.prototype.text);
const headersOf = getter(Response.prototype, "headers");
const headerOf = free(Headers.prototype.get);
export const header = (response, name) => headerOf(headersOf(response), name);
const abort = free(AbortController.prototype.abort);
const signalOf = getter(AbortController.prototype, "signal");
export const abortable = () => {
  const controller = new AbortController();
  return { signal: signalOf(controller), abort: () => abort(controller) };
};

export const encode = JSON.stringify;
export const decode = JSON.parse;

const hidden = getter(Document.prototype, "hidden");
const focused = free(Document.prototype.hasFocus);
export const isHidden = () => hidden(document);
export const hasFocus = () => focused(document);

const media = HTMLMediaElement.prototype;
export const position = getter(media, "currentTime");
export const moveTo = setter(media, "currentTime");
export const duration = getter(media, "duration");
export const paused = getter(media, "paused");
export const rate = getter(media, "playbackRate");
export const seeking = getter(media, "seeking");
export const ready = getter(media, "readyState");
export const mediaError = getter(media, "error");
export const play = free(media.play);
export const pause = free(media.pause);

const fill = free(Crypto.prototype.getRandomValues);
/** A name that nobody else has: 128 bits as hex. */
export const newId = () =>
  Array.from(fill(crypto, new Uint8Array(16)), (it) => it.toString(16).padStart(2, "0")).join("");

/** One of the browser's stores, or null where it is switched off. */
const store = (name) => {
  try {
    const found = window[name];
    const [get, set, drop] = ["getItem", "setItem", "removeItem"].map((it) => free(Storage.prototype[it]));
    return {
      get: (key) => get(found, key),
      set: (key, value) => set(found, key, value),
      drop: (key) => drop(found, key),
      keys: () => Object.keys(found),
    };
  } catch {
    return null;
  }
};
export const lasting = store("localStorage");
export const ofTab = store("sessionStorage");

const { locks, mediaDevices } = navigator;
/** Only where the page is secure. */
export const lock = locks && ((name, options, held) => apply(LockManager.prototype.request, locks, [name, options, held]));
const camera = window.MediaDevices?.prototype.getUserMedia;
export const openCamera = mediaDevices && camera && ((wanted) => apply(camera, mediaDevices, [wanted]));
