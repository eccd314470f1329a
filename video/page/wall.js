/** The tiles of all cameras: adds, arranges and removes them, and requests pictures for those in view. */

import { setData, setHidden, setOrder } from "./dom.js";
import { Grid } from "./grid.js";
import { stepOf } from "./keys.js";
import { missing } from "./missing.js";
import { Tile } from "./tile.js";

/** @typedef {import("./live/types.js").Camera} Camera */
/** @typedef {import("./live/types.js").News} News */
/** @typedef {import("./live/feed.js").Feed} Feed */

const GRACE = 5000; // ms after the server is back, in which it may not know all cameras yet
const TICK = 250; // ms
const FULL = 0; // the width that requests the full picture

export class Wall {
  /** In the server's order. @type {Map<string, Tile>} */
  #tiles = new Map();
  /** @type {string | null} */
  #enlarged = null;
  #away = false;
  #keepUntil = 0;
  #arranged = "";
  #element;
  #grid;
  #feed;
  #sights;

  /** @param {HTMLElement} element the list to fill @param {Feed} feed */
  constructor(element, feed) {
    this.#element = element;
    this.#grid = new Grid(element);
    this.#feed = feed;
    this.#sights = new IntersectionObserver((sights) => this.#see(sights), { rootMargin: "64px" });
    new ResizeObserver(() => this.#arrange()).observe(element); // such as when it was hidden or a scroll bar appeared
    window.addEventListener("resize", () => this.#arrange());
    document.addEventListener("visibilitychange", () => this.#watch());
    setInterval(() => this.#tick(), TICK);
  }

  get names() {
    return [...this.#tiles.keys()];
  }

  /** The camera that is shown alone: the enlarged one or the only one. */
  get alone() {
    const [only = null, more] = this.#tiles.keys();
    return this.#enlarged ?? (more === undefined ? only : null);
  }

  /** @param {string | null} name */
  tile(name) {
    return name === null ? undefined : this.#tiles.get(name);
  }

  /**
   * Show these cameras, and remove the tiles of all others.
   * @param {Camera[]} cameras all that the server reports, in order
   * @returns {string[]} the cameras that the server has just removed
   */
  update(cameras) {
    if (this.#away) this.#keepUntil = performance.now() + GRACE;
    this.#away = false;
    const before = this.#tiles;
    this.#tiles = new Map();
    for (const camera of cameras) {
      const tile = before.get(camera.name);
      tile?.update(camera);
      this.#tiles.set(camera.name, tile ?? this.#add(camera));
    }
    const { awaited, dropped, removed } = missing(before, this.#tiles, performance.now() < this.#keepUntil);
    for (const tile of awaited) this.#tiles.set(tile.camera.name, tile);
    for (const tile of [...dropped, ...removed]) this.#drop(tile);
    setOrder(this.#element, [...this.#tiles.values()].map(({ element }) => element));
    this.#refresh();
    return removed.map(({ camera }) => camera.name);
  }

  /** @param {Map<string, News>} news */
  drawn(news) {
    for (const [name, each] of news) this.#tiles.get(name)?.drawn(each);
  }

  /** Keep the last pictures and show that the server does not answer. @param {Date} since */
  away(since) {
    this.#away = true;
    for (const tile of this.#tiles.values()) tile.away(since);
  }

  /** @param {string | null} name null to show all */
  enlarge(name) {
    this.#enlarged = name;
    this.#refresh();
  }

  /** Move the focus from tile to tile. @param {string} key @returns {boolean} whether the key moved it */
  step(key) {
    const tiles = [...this.#tiles.values()];
    const at = tiles.findIndex(({ link }) => link === document.activeElement);
    const to = this.alone === null && at >= 0 ? stepOf(key, at, tiles.length, this.#grid.columns) : null;
    if (to !== null) tiles[to].link.focus();
    return to !== null;
  }

  /** @param {Camera} camera */
  #add(camera) {
    const tile = new Tile(camera);
    this.#feed.attach(camera.name, tile.screen.canvas);
    this.#sights.observe(tile.element);
    return tile;
  }

  /** Release a tile and everything that belongs to it, here and in the worker. @param {Tile} tile */
  #drop(tile) {
    const { element, link, camera } = tile;
    const neighbour = element.nextElementSibling ?? element.previousElementSibling;
    if (link === document.activeElement) this.#tileOf(neighbour)?.link.focus();
    this.#sights.unobserve(element);
    this.#feed.detach(camera.name);
    element.remove();
  }

  /** @param {Element | null} element */
  #tileOf(element) {
    return [...this.#tiles.values()].find((tile) => tile.element === element);
  }

  /** @param {IntersectionObserverEntry[]} sights */
  #see(sights) {
    const seen = new Map(sights.map((sight) => [sight.target, sight.isIntersecting]));
    for (const tile of this.#tiles.values()) tile.inView = seen.get(tile.element) ?? tile.inView;
    this.#watch();
  }

  /** Request pictures for the tiles in view, in the size in which they are shown. */
  #watch() {
    /** @type {Map<string, number>} */
    const widths = new Map();
    const { alone } = this;
    for (const [name, tile] of this.#tiles) {
      const inSight = !document.hidden && (alone === null ? tile.inView : name === alone);
      tile.screen.watch(inSight);
      if (inSight) widths.set(name, alone === null ? this.#grid.pixelsOf(tile) : FULL);
    }
    this.#feed.watch(widths);
  }

  #tick() {
    if (document.hidden) return;
    for (const tile of this.#tiles.values()) tile.tick();
  }

  /** Arrange the tiles again if anything has changed that affects the layout. */
  #refresh() {
    const tiles = [...this.#tiles].map(([name, { ratio, lines }]) => [name, ratio.toFixed(3), lines]);
    const key = JSON.stringify([this.alone, tiles]);
    if (key === this.#arranged) return;
    this.#arranged = key;
    this.#arrange();
  }

  #arrange() {
    const { alone } = this;
    setData(this.#element, "view", alone === null ? "wall" : "single");
    for (const [name, tile] of this.#tiles) {
      setHidden(tile.element, alone !== null && name !== alone);
      setHidden(tile.link, alone !== null);
    }
    if (alone === null && this.#tiles.size) this.#grid.place([...this.#tiles.values()]);
    this.#watch();
  }
}
