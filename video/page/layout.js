/** The number of columns on the wall, the width of a tile, and the shape of the area for its picture. */

const NARROWEST = 264; // px, the narrowest tile that is still easy to read
const COMFORTABLE = 320; // px, the least width of a tile if not all tiles fit on the screen
const FLATTEST = 2.4; // the limits of the shape: beyond, labels have no room, or a picture little height
const STEEPEST = 4 / 3;
const FULL_ROWS = 1.17; // an incomplete last row must make the pictures larger by this factor

/**
 * @typedef {object} Room
 * @property {number} width px
 * @property {number} height px
 * @property {number} gap px between tiles
 * @property {number[]} ratios of the pictures
 * @property {number[]} captions px below each picture; the highest in a row sets its height
 * @property {number[]} [sizes] the number of tiles in each group, each of which begins a new row; together all tiles
 * @property {number} [headings] px, the height of all groups' headings and the gaps around them
 */

/**
 * @typedef {object} Arrangement
 * @property {number} columns
 * @property {number} tile px, its width
 * @property {number} ratio of the area for each picture
 */

/**
 * Return the arrangement with the largest pictures of those that fit on the screen. If their tiles would be too
 * narrow, fill the rows and scroll.
 * @param {Room} room
 * @returns {Arrangement}
 */
export function arrange({ width, height, gap, ratios, captions, sizes = [captions.length], headings = 0 }) {
  const median = sharedRatio(ratios);
  let best = { columns: 1, tile: 0, ratio: median };
  let largest = 0;
  const shapes = new Set([...ratios.map(within), 16 / 9]); // the last one suits a mixture
  for (let columns = Math.max(1, ...sizes); columns >= 1; columns--) {
    const rows = sizes.reduce((sum, size) => sum + Math.ceil(size / columns), 0);
    const high = (height - headings - gap * (rows - 1) - captionsOf(captions, sizes, columns)) / rows;
    const wide = (width - gap * (columns - 1)) / columns;
    for (const ratio of shapes) {
      const tile = Math.floor(Math.min(wide, high * ratio));
      const area = areaOf(ratios, tile, ratio) / (sizes.some((size) => size % columns) ? FULL_ROWS : 1);
      if (tile <= 0 || area <= largest) continue;
      largest = area;
      best = { columns, tile, ratio };
    }
  }
  if (best.tile >= Math.min(NARROWEST, width)) return best;
  const most = Math.max(2, ...sizes); // small groups do not leave half of the screen empty
  const columns = Math.max(1, Math.min(most, Math.floor((width + gap) / (COMFORTABLE + gap))));
  return { columns, tile: Math.floor((width - gap * (columns - 1)) / columns), ratio: median };
}

/**
 * Return the area that pictures cover in tiles of this width and shape.
 * @param {number[]} ratios
 * @param {number} tile
 * @param {number} shape
 */
function areaOf(ratios, tile, shape) {
  return ratios.reduce((sum, ratio) => sum + (tile * Math.min(1, ratio / shape)) ** 2 / ratio, 0);
}

/** @param {number[]} captions @param {number[]} sizes @param {number} columns */
function captionsOf(captions, sizes, columns) {
  let sum = 0;
  let first = 0;
  for (const size of sizes) {
    const end = first + size;
    for (let at = first; at < end; at += columns) sum += Math.max(...captions.slice(at, Math.min(end, at + columns)));
    first = end;
  }
  return sum;
}

/**
 * Return the median of the ratios, so that most pictures fill their area.
 * @param {number[]} ratios
 */
function sharedRatio(ratios) {
  const sorted = [...ratios].sort((a, b) => a - b);
  return within(sorted[Math.floor((sorted.length - 1) / 2)] ?? 16 / 9);
}

/** @param {number} ratio */
const within = (ratio) => Math.min(FLATTEST, Math.max(STEEPEST, ratio));
