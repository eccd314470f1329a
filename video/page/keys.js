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
 * @param {number[]} sizes the number of tiles in each group; each begins a new row
 * @param {number} columns
 * @returns {number | null} null if the key does not move the focus
 */
export function stepOf(key, at, sizes, columns) {
  const rows = rowsOf(sizes, columns);
  const row = rows.findIndex(({ first, size }) => at < first + size);
  if (row < 0) return null;
  const count = rows[rows.length - 1].first + rows[rows.length - 1].size;
  /** @type {Record<string, number>} */
  const steps = {
    ArrowLeft: at - 1,
    ArrowRight: at + 1,
    ArrowUp: inRow(rows, row - 1, at - rows[row].first),
    ArrowDown: inRow(rows, row + 1, at - rows[row].first),
    Home: 0,
    End: count - 1,
  };
  if (!Object.hasOwn(steps, key)) return null;
  const to = steps[key];
  return to >= 0 && to < count && to !== at ? to : null;
}

/** @typedef {{first: number, size: number, group: number}} Row */

/** @param {number[]} sizes @param {number} columns @returns {Row[]} */
function rowsOf(sizes, columns) {
  const rows = [];
  let first = 0;
  for (const [group, count] of sizes.entries()) {
    for (let at = 0; at < count; at += columns) {
      const size = Math.min(columns, count - at);
      rows.push({ first, size, group });
      first += size;
    }
  }
  return rows;
}

/**
 * Return the tile at a column of a row; -1 if there is none. In another group, the last one of a shorter row takes
 * its place.
 * @param {Row[]} rows
 * @param {number} row
 * @param {number} column
 */
function inRow(rows, row, column) {
  const to = rows[row];
  if (!to) return -1;
  if (column < to.size) return to.first + column;
  return rows[row - 1]?.group === to.group ? -1 : to.first + to.size - 1;
}
