/** The tiles of all cameras: adds, arranges and removes them, and requests pictures for those in view. */

import { setData, setHidden, setOrder } from "./dom.js";
import { setUpDrag } from "./drag.js";
import { Grid } from "./grid.js";
import { stepOf } from "./keys.js";
import { missing } from "./missing.js";
import { Places } from "./places.js";
import { Headings } from "./sections.js";
import { Tile } from "./tile.js";

/** @typedef {import("./live/types.js").Camera} Camera */
/** @typedef {import("./live/types.js").News} News */
/** @typedef {import("./live/feed.js").Feed} Feed */

const GRACE = 5000; // ms after the server is back, in which it may not know all cameras yet
const TICK = 250; // ms
const FULL = 0; // the width that requests the full picture

export class Wall {
  /** In the order in which they are shown. @type {Map<string, Tile>} */
  #tiles = new Map();
  places = new Places();
  #headings = new Headings((group) => this.#toggle(group));
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
    setUpDrag(
      element,
      (camera, target) => this.places.around(camera).includes(target),
      (camera, target, after) => this.#put(camera, target, after),
    );
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
    this.#sort();
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
    const tiles = this.#shown();
    const at = tiles.findIndex(({ link }) => link === document.activeElement);
    const to = this.alone === null && at >= 0 ? stepOf(key, at, this.places.sizes, this.#grid.columns) : null;
    if (to !== null) tiles[to].link.focus();
    return to !== null;
  }

  /** Move the camera that has the focus in its group. @param {string} key @returns {string | null} the camera */
  shift(key) {
    const tile = this.#tileOf(document.activeElement?.closest(".tile") ?? null);
    if (!tile || this.alone !== null) return null;
    const names = this.places.around(tile.camera.name);
    const at = names.indexOf(tile.camera.name);
    const to = stepOf(key, at, [names.length], this.#grid.columns);
    if (to !== null) this.#put(names[at], names[to], to > at);
    tile.link.focus(); // which it has lost by being moved
    return to === null ? null : names[at];
  }

  /** Move a camera within its group. @param {string} name @param {-1 | 1} by */
  moveBy(name, by) {
    const names = this.places.around(name);
    const target = names[names.indexOf(name) + by];
    if (target !== undefined) this.#put(name, target, by > 0);
  }

  /** Give a camera's tile the focus, in view. @param {string} name @returns {boolean} whether it exists */
  point(name) {
    const tile = this.#tiles.get(name);
    if (!tile) return false;
    const section = this.places.sections.find(({ names }) => names.includes(name));
    if (section?.collapsed) this.#toggle(section.group);
    tile.element.scrollIntoView({ block: "nearest" });
    tile.link.focus();
    return true;
  }

  /** @param {string} camera @param {string} target @param {boolean} after */
  #put(camera, target, after) {
    this.places.put(camera, target, after);
    this.#sort();
  }

  /** @param {string} group */
  #toggle(group) {
    this.places.toggle(group);
    this.#sort();
  }

  /** The tiles that the wall shows. */
  #shown() {
    const names = this.places.sections.flatMap((section) => (section.collapsed ? [] : section.names));
    return names.flatMap((name) => this.#tiles.get(name) ?? []);
  }

  /** Put tiles and headings in their places. */
  #sort() {
    const cameras = [...this.#tiles.values()].map(({ camera }) => camera);
    const sections = this.places.arrange(new Map(cameras.map(({ name, group }) => [name, group ?? ""])));
    const headings = this.#headings.update(sections);
    const tiles = sections.map(({ names }) => names.flatMap((name) => this.#tiles.get(name) ?? []));
    this.#tiles = new Map(tiles.flat().map((tile) => [tile.camera.name, tile]));
    setOrder(
      this.#element,
      tiles.flatMap((each, at) => [headings[at] ?? [], each.map(({ element }) => element)].flat()),
    );
    this.#refresh();
  }

  /** @param {Camera} camera */
  #add(camera) {
    const tile = new Tile(camera);
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
      if (!inSight) continue;
      if (!tile.attached) this.#feed.attach(name, tile.screen.canvas);
      tile.attached = true;
      widths.set(name, alone === null ? this.#grid.pixelsOf(tile) : FULL);
    }
    this.#feed.watch(widths);
  }

  #tick() {
    if (document.hidden) return;
    const { alone } = this;
    for (const [name, tile] of this.#tiles) if (alone === null ? tile.inView : name === alone) tile.tick();
  }

  /** Arrange the tiles again if anything has changed that affects the layout. */
  #refresh() {
    const tiles = [...this.#tiles].map(([name, { ratio, lines }]) => [name, ratio.toFixed(3), lines]);
    const { sections, sizes } = this.places;
    const key = JSON.stringify([this.alone, tiles, sections.map(({ group }) => group), sizes]);
    if (key === this.#arranged) return;
    this.#arranged = key;
    this.#arrange();
  }

  #arrange() {
    const { alone } = this;
    setData(this.#element, "view", alone === null ? "wall" : "single");
    const shown = this.#shown();
    const visible = new Set(shown);
    for (const [name, tile] of this.#tiles) {
      setHidden(tile.element, alone === null ? !visible.has(tile) : name !== alone);
      setHidden(tile.link, alone !== null);
    }
    if (alone === null && shown.length) this.#grid.place(shown, this.places.sizes);
    this.#watch();
  }
}
