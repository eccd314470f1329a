/** Label events, newest first. */

/**
 * A change of a model's label on a camera.
 * @typedef {object} LabelEvent
 * @property {string} id a decimal number that increases
 * @property {string} time ISO 8601
 * @property {string} camera
 * @property {string} model
 * @property {string | null} label null if the model has no label any more
 * @property {number | null} score 0 to 1
 * @property {string | null} previous
 * @property {number} seq
 * @property {string | null} snapshot its address; null if it is not kept
 */

/**
 * Compare the ids, which are too large for a `number`.
 * @param {LabelEvent} one
 * @param {LabelEvent} other
 */
function newerFirst({ id: one }, { id: other }) {
  if (one === other) return 0;
  const newer = one.length === other.length ? one > other : one.length > other.length;
  return newer ? -1 : 1;
}

/**
 * Merge two lists. Of two events with the same id, the one from `more` is kept.
 * @param {LabelEvent[]} events
 * @param {LabelEvent[]} more
 * @param {number} limit the most events to return; the oldest are left out
 */
export function merge(events, more, limit) {
  const byId = new Map([...events, ...more].map((event) => [event.id, event]));
  return [...byId.values()].sort(newerFirst).slice(0, limit);
}
