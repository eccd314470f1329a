/** How far a training is. */

/** @typedef {import("./types.js").Result} Result */
/** @typedef {import("./types.js").State} State */

/** @type {State[]} */
const ACTIVE = ["queued", "starting", "waiting", "reading", "training", "evaluating", "exporting"];

/** The colours of states are those of cameras. @type {Record<State, string>} */
const TONES = {
  queued: "away",
  starting: "model-away",
  waiting: "stale",
  reading: "model-away",
  training: "model-away",
  evaluating: "model-away",
  exporting: "model-away",
  finished: "live",
  failed: "no-signal",
  stopped: "away",
};

/** @param {State} state */
export const isActive = (state) => ACTIVE.includes(state);

/** Whether it still needs a control message. @param {State} state */
export const waitsForData = (state) => ["queued", "starting", "waiting"].includes(state);

/** @param {State} state */
export const toneOf = (state) => TONES[state] ?? "away";

/**
 * Return how much of what it does now is done, 0 to 1; null if that is not known.
 * @param {Pick<Result, "state" | "progress">} result
 */
export function shareOf({ state, progress }) {
  const { read, total, epoch, epochs, step = 0, steps } = progress ?? {};
  if (state === "reading" && total) return Math.min(1, (read ?? 0) / total);
  if (state !== "training" || !epochs || epoch === undefined) return null;
  return Math.min(1, (epoch + (steps ? Math.min(1, step / steps) : 0)) / epochs);
}
