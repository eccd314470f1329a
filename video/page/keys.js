/** Keyboard shortcuts. */

/** @typedef {"leave" | "previous" | "next" | "fullscreen" | "snapshot" | "help"} Act */

/** @type {Record<string, Act>} */
const IN_SINGLE = {
  Escape: "leave",
  ArrowLeft: "previous",
  ArrowRight: "next",
  f: "fullscreen",
  s: "snapshot",
};

/**
 * @typedef {object} Press
 * @property {string} key
 * @property {boolean} altKey
 * @property {boolean} ctrlKey
 * @property {boolean} metaKey
 */

/**
 * Return the action of a key, if it has one.
 * @param {Press} press
 * @param {boolean} single whether one camera is shown alone
 * @returns {Act | null}
 */
export function actOf({ key, altKey, ctrlKey, metaKey }, single) {
  if (altKey || ctrlKey || metaKey) return null;
  if (key === "?") return "help";
  const plain = key.length === 1 ? key.toLowerCase() : key;
  return single && Object.hasOwn(IN_SINGLE, plain) ? IN_SINGLE[plain] : null;
}

/**
 * Return the tile that a key moves the focus to.
 * @param {string} key
 * @param {number} at the tile that has the focus
 * @param {number} count of tiles
 * @param {number} columns
 * @returns {number | null} null if the key does not move the focus
 */
export function stepOf(key, at, count, columns) {
  /** @type {Record<string, number>} */
  const steps = {
    ArrowLeft: at - 1,
    ArrowRight: at + 1,
    ArrowUp: at - columns,
    ArrowDown: at + columns,
    Home: 0,
    End: count - 1,
  };
  if (!Object.hasOwn(steps, key)) return null;
  const to = steps[key];
  return to >= 0 && to < count && to !== at ? to : null;
}
