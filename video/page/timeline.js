/** Label events in order, newest first. */

/**
 * A model's label on a camera changed, or is gone.
 * @typedef {object} LabelEvent
 * @property {string} id decimal, goes up
 * @property {string} time ISO 8601
 * @property {string} camera
 * @property {string} model
 * @property {string | null} label null: gone
 * @property {number | null} score 0 to 1
 * @property {string | null} previous
 * @property {number} seq
 * @property {string | null} snapshot its address; null when it is not kept
 */

/**
 * Newer first. The numbers are too long for a `number`.
 * @param {LabelEvent} one
 * @param {LabelEvent} other
 */
function newerFirst({ id: one }, { id: other }) {
  if (one === other) return 0;
  const newer = one.length === other.length ? one > other : one.length > other.length;
  return newer ? -1 : 1;
}

/**
 * One list of both, each event once; of two with the same id the later told is right.
 * @param {LabelEvent[]} events
 * @param {LabelEvent[]} more
 * @param {number} limit the oldest beyond it are left out
 */
export function merge(events, more, limit) {
  const byId = new Map([...events, ...more].map((event) => [event.id, event]));
  return [...byId.values()].sort(newerFirst).slice(0, limit);
}
