/** The age of the picture that the user sees now. */

/**
 * A picture that has been drawn.
 * @typedef {object} Seen
 * @property {number} age_ms its age at that moment, from the camera to the screen
 * @property {number} at when it was drawn, ms by `performance.now()`
 */

/** @typedef {"none" | "fresh" | "old" | "stalled"} Level none: no picture has been drawn yet */

const OLD = 1000; // ms
const STALLED = 2000; // ms without a requested picture: the connection is slow

/**
 * Return the age of the last picture: while pictures keep arriving, its age when it was drawn; once they stop, its
 * age now.
 * @param {Seen | null} seen the last picture
 * @param {number} requested when pictures were first requested, ms by `performance.now()`; NaN if they are not
 * @param {number} now
 * @returns {{level: Level, ms: number}}
 */
export function ageOf(seen, requested, now) {
  const waits = now - Math.max(requested, seen ? seen.at : -Infinity); // NaN if no pictures are requested
  if (!seen) return { level: waits > STALLED ? "stalled" : "none", ms: NaN };
  const held = now - seen.at;
  const ms = Math.max(0, seen.age_ms + (held > OLD ? held : 0));
  if (waits > STALLED) return { level: "stalled", ms };
  return { level: ms > OLD ? "old" : "fresh", ms };
}
