/** The wall's grid: measures the tiles and sets the custom properties that the style sheet uses. */

import { arrange } from "./layout.js";

/** @typedef {import("./tile.js").Tile} Tile */

export class Grid {
  columns = 1;
  #width = 0; // px, of a tile
  #ratio = 16 / 9; // of the area for each picture
  #element;

  /** @param {HTMLElement} element the list of tiles */
  constructor(element) {
    this.#element = element;
  }

  /**
   * Lay out the tiles. Reads the layout, so call it rarely.
   * @param {Tile[]} tiles at least one
   * @param {number[]} sizes the number of tiles in each group
   */
  place(tiles, sizes) {
    const style = getComputedStyle(this.#element);
    const { line, rest } = tiles[0].measure();
    const captions = tiles.map(({ lines }) => rest + line * lines);
    const { columns, tile, ratio } = arrange({
      width: this.#element.clientWidth,
      height: window.innerHeight - this.#element.offsetTop - parseFloat(style.marginBottom),
      gap: parseFloat(style.columnGap),
      ratios: tiles.map((each) => each.ratio),
      captions,
      sizes: sizes.filter((size) => size > 0),
      headings: this.#headings(parseFloat(style.rowGap)),
    });
    this.columns = columns;
    this.#width = tile;
    this.#ratio = ratio;
    this.#set("--columns", String(columns));
    this.#set("--tile", `${tile}px`);
    this.#set("--ratio", ratio.toFixed(4));
    this.#set("--tall", `${Math.round(tile / ratio + Math.max(...captions))}px`);
  }

  /** Return the width at which a tile's picture is shown, in device pixels. @param {Tile} tile */
  pixelsOf({ ratio }) {
    const width = this.#width * Math.min(1, ratio / this.#ratio) * window.devicePixelRatio;
    return Math.max(1, Math.ceil(width)); // 0 would request the full picture
  }

  /** Return the height of all headings with the gaps below them, px. @param {number} gap */
  #headings(gap) {
    const headings = [...this.#element.querySelectorAll(".group")];
    return headings.length && headings.length * (/** @type {HTMLElement} */ (headings[0]).offsetHeight + gap);
  }

  /** @param {string} property @param {string} value */
  #set(property, value) {
    this.#element.style.setProperty(property, value);
  }
}
