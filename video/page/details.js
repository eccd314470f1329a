/** The single view's panels: everything next to and below one camera's picture, except its labels. */

import { make } from "./dom.js";
import { Compare } from "./panels/compare.js";
import { Controls } from "./panels/controls.js";
import { Log } from "./panels/log.js";
import { Trends } from "./panels/trends.js";

/** @typedef {import("./tile.js").Tile} Tile */

/**
 * One part of the single view. It is created once and opened for each camera that is shown alone.
 * @typedef {object} Panel
 * @property {HTMLElement} element
 * @property {"side" | "below"} place next to the picture or below it; on narrow screens, all are below it
 * @property {(tile: Tile) => void} open shows a camera
 * @property {() => void} update shows what is new; called whenever the server reports its cameras
 * @property {() => void} close releases what `open` started
 */

export class Details {
  controls = new Controls();
  /** All panels, in the order in which they are shown. @type {Panel[]} */
  #panels;
  #below = make("div", "below");
  /** @type {Tile | null} */
  #tile = null;

  /** @param {Panel[]} more what follows the controls */
  constructor(more) {
    this.#panels = [this.controls, ...more, new Compare(), new Trends(), new Log()];
    this.#panels.forEach(({ element }, at) => (element.style.order = String(at + 1)));
  }

  /** Move the panels to this tile, or take them off the page. @param {Tile | null} tile */
  show(tile) {
    if (tile === this.#tile) return;
    if (this.#tile) this.#close();
    this.#tile = tile;
    if (tile) this.#open(tile);
  }

  update() {
    if (this.#tile) for (const panel of this.#panels) panel.update();
  }

  /** @param {Tile} tile */
  #open(tile) {
    tile.element.append(this.#below);
    for (const panel of this.#panels) {
      const parent = panel.place === "below" ? this.#below : tile.caption;
      parent.append(panel.element);
      panel.open(tile);
    }
    tile.caption.scrollTop = 0;
  }

  #close() {
    this.#below.remove();
    for (const panel of this.#panels) {
      panel.close();
      panel.element.remove();
    }
  }
}
