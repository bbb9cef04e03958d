import * as native from "./native.js";

const PATIENCE_MS = 20_000;

/**
 * One request. Never throws: a network that fails is status 0.
 *
 * @param {string} url
 * @param {RequestInit} init
 * @returns {Promise<{status: number, body: any, retry_s: number | null}>}
 */
export async function ask(url, init) {
  const { signal, abort } = native.abortable();
  const timer = native.after(abort, PATIENCE_MS);
  try {
    return await answer(await native.request(url, { signal, ...init }));
  } catch {
    return { status: 0, body: null, retry_s: null };
  } finally {
    native.cancelAfter(timer);
  }
}

/** @param {Response} response */
export async function answer(response) {
  let body = null;
  try {
    body = native.decode(await native.text(response));
  } catch {
    // an answer of somebody between us and the service: its status says enough
  }
  const wait = Number(native.header(response, "retry-after") ?? body?.retry_after_s ?? NaN);
  return { status: native.status(response), body, retry_s: wait >= 0 ? wait : null };
}

/** To one sitting of the service, with its lease. What a gateway refuses in its place is no answer: status 0. */
export async function toSitting({ service, session, token }, path, method, type, body, more = {}) {
  const url = `${service}/v1/sessions/${encodeURIComponent(session)}/${path}`;
  const headers = { Authorization: `Bearer ${token}`, "Content-Type": type };
  /** @type {RequestInit} */
  const init = { method, headers, body, mode: "cors", credentials: "omit", cache: "no-store", ...more };
  const told = await ask(url, init);
  return foreign(told) ? { ...told, status: 0 } : told;
}

/** Whether somebody else refused: each problem of the service tells its status. A gateway's 413 is true of the line. */
const foreign = ({ status, body }) => status >= 400 && status !== 413 && body?.status !== status;

/** Whether it makes sense to send the same again: nobody answered, or somebody was too busy. */
export const later = (status) => status === 0 || status === 408 || status === 429 || status >= 500;

/** Milliseconds to wait before try n (from 0): as asked, else doubling up to half a minute, with jitter. */
export const backOff = (n, retry_s) =>
  retry_s ? retry_s * 1000 : Math.min(30_000, 1000 * 2 ** n) * (0.5 + Math.random() / 2);
