import * as native from "./native.js";

const TOLERANCE = 0.02;
const LEAST_MS = 60_000;
const LEAST_BEATS = 3;

/**
 * The page's date against the monotonic clock, over a minute at least. The middle beat counts: a
 * clock set right and a device that slept are one of many.
 */
export function clockPace(report) {
  let before = null;
  let spent = 0;
  let ratios = [];
  return () => {
    const now = { date: Date.now(), elapsed: native.monotonic() };
    const took = before ? now.elapsed - before.elapsed : 0;
    if (took > 0) {
      ratios.push((now.date - before.date) / took);
      spent += took;
    }
    before = now;
    if (spent < LEAST_MS || ratios.length < LEAST_BEATS) return;
    const ratio = ratios.sort((one, other) => one - other)[ratios.length >> 1];
    if (Math.abs(ratio - 1) > TOLERANCE) {
      report("integrity", { code: "clock_skew", value: Math.round(ratio * 1000) / 1000 });
    }
    spent = 0;
    ratios = [];
  };
}
