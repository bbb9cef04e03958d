import * as native from "./native.js";
import { answer, ask } from "./wire.js";

/**
 * A sitting, opened by the platform's own server: it knows who is signed in and holds the key, and
 * hands on the service's answer as it is.
 *
 * @param {string | ((terms: object) => Promise<Response>)} where  address, or a function of one's own
 * @param {object} terms  {session_id?, lesson_id, device_id, window_id, client, started_at_ms}
 */
export async function lease(where, terms) {
  if (typeof where !== "function") {
    return ask(where, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: native.encode(terms),
      credentials: "same-origin",
      cache: "no-store",
    });
  }
  try {
    return await answer(await where(terms));
  } catch {
    return { status: 0, body: null, retry_s: null };
  }
}
