/** The number of columns on the wall and the width of a tile. */

const NARROWEST = 264; // px, the narrowest tile that is still easy to read
const COMFORTABLE = 320; // px, the least width of a tile if not all tiles fit on the screen

/**
 * @typedef {object} Room
 * @property {number} width px
 * @property {number} height px
 * @property {number} gap px between tiles
 * @property {number} ratio of the pictures
 * @property {number[]} captions px below each picture; the highest in a row sets its height
 */

/**
 * Return the widest tiles that all fit on the screen. If they would be too narrow, fill the rows and scroll.
 * @param {Room} room
 * @returns {{columns: number, tile: number}} `tile` in px
 */
export function arrange({ width, height, gap, ratio, captions }) {
  let best = { columns: 1, tile: 0 };
  for (let columns = Math.max(1, captions.length); columns >= 1; columns--) {
    const rows = Math.ceil(captions.length / columns);
    const high = (height - gap * (rows - 1) - captionsOf(captions, columns)) / rows;
    const tile = Math.floor(Math.min((width - gap * (columns - 1)) / columns, high * ratio));
    // Prefer full rows: an incomplete last row must make the tiles noticeably larger.
    const worth = captions.length % columns ? 1.08 : 1;
    if (tile > best.tile * worth) best = { columns, tile };
  }
  if (best.tile >= Math.min(NARROWEST, width)) return best;
  const columns = Math.max(1, Math.floor((width + gap) / (COMFORTABLE + gap)));
  return { columns, tile: Math.floor((width - gap * (columns - 1)) / columns) };
}

/** @param {number[]} captions @param {number} columns */
function captionsOf(captions, columns) {
  let sum = 0;
  for (let at = 0; at < captions.length; at += columns) sum += Math.max(...captions.slice(at, at + columns));
  return sum;
}

/**
 * Return the aspect ratio that all pictures on the wall share: the median, so that most pictures fill their area.
 * @param {number[]} ratios
 */
export function sharedRatio(ratios) {
  const sorted = [...ratios].sort((a, b) => a - b);
  const middle = sorted[Math.floor((sorted.length - 1) / 2)] ?? 16 / 9;
  return Math.min(2, Math.max(4 / 3, middle));
}
