/** How old the picture is that a user sees now. */

/**
 * A picture as it was drawn.
 * @typedef {object} Seen
 * @property {number} age_ms how old it was then, from the camera to the screen
 * @property {number} at when it was drawn, ms by `performance.now()`
 */

/** @typedef {"none" | "fresh" | "old" | "stalled"} Level none: no picture was drawn yet */

const OLD = 1000; // ms
const STALLED = 2000; // ms without a picture that was asked for: the line is slow

/**
 * While pictures follow each other: how old each is when drawn. When they stop: how old the last has become.
 * @param {Seen | null} seen the last picture
 * @param {number} wanted since when pictures have been asked for, ms by `performance.now()`; NaN: they are not
 * @param {number} now
 * @returns {{level: Level, ms: number}}
 */
export function ageOf(seen, wanted, now) {
  const waits = now - Math.max(wanted, seen ? seen.at : -Infinity); // NaN where nothing is asked for
  if (!seen) return { level: waits > STALLED ? "stalled" : "none", ms: NaN };
  const held = now - seen.at;
  const ms = Math.max(0, seen.age_ms + (held > OLD ? held : 0));
  if (waits > STALLED) return { level: "stalled", ms };
  return { level: ms > OLD ? "old" : "fresh", ms };
}
