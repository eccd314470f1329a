/** The age of the picture that the user sees now. */

/**
 * A picture that has been drawn.
 * @typedef {object} Seen
 * @property {number} age_ms its age at that moment, from the camera to the screen
 * @property {number} at when it was drawn, ms by `performance.now()`
 */

/** @typedef {"none" | "fresh" | "old" | "stalled"} Level none: no picture has been drawn yet */

const OLD = 1000; // ms
const STALLED = 2000; // ms without a requested picture: the connection is slow, unless the camera is
const MISSED = 3; // pictures in a row that a slow camera's connection is given

/**
 * Return the age of the last picture: while pictures keep arriving, its age when it was drawn; once they stop, its
 * age now.
 * @param {Seen | null} seen the last picture
 * @param {number} requested when pictures were first requested, ms by `performance.now()`; NaN if they are not
 * @param {number} now
 * @param {number} [interval] ms between two of the camera's pictures
 * @returns {{level: Level, ms: number}}
 */
export function ageOf(seen, requested, now, interval = 0) {
  const patience = Math.max(STALLED, MISSED * interval);
  const waits = now - Math.max(requested, seen ? seen.at : -Infinity); // NaN if no pictures are requested
  if (!seen) return { level: waits > patience ? "stalled" : "none", ms: NaN };
  const held = now - seen.at;
  const ms = Math.max(0, seen.age_ms + (held > OLD ? held : 0));
  if (waits > patience) return { level: "stalled", ms };
  return { level: ms > OLD ? "old" : "fresh", ms };
}
