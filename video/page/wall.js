/** All cameras' tiles: which there are, how they stand, and which of them stream. */

import { arrange, sharedRatio } from "./layout.js";
import { setData } from "./dom.js";
import { Tile } from "./tile.js";

/** @typedef {import("./api.js").Camera} Camera */

const STREAMS = 4; // of a browser's six connections; the rest is for snapshots and the API
const GRACE = 5000; // ms after the server is back, in which it may not know all cameras again

export class Wall {
  /** @type {Map<string, Tile>} */
  #tiles = new Map();
  /** @type {string | null} */
  #enlarged = null;
  #away = false;
  #keepUntil = 0;
  #element;
  #mayStream;
  #sights;

  /**
   * @param {HTMLElement} element the list to fill
   * @param {() => boolean} mayStream whether this window may hold several streams
   */
  constructor(element, mayStream) {
    this.#element = element;
    this.#mayStream = mayStream;
    this.#sights = new IntersectionObserver((sights) => this.#see(sights), { rootMargin: "64px" });
    new ResizeObserver(() => this.#arrange()).observe(document.documentElement);
    window.addEventListener("resize", () => this.#arrange());
  }

  get names() {
    return [...this.#tiles.keys()];
  }

  /** @param {string} name */
  tile(name) {
    return this.#tiles.get(name);
  }

  /** @param {Camera[]} cameras all there are now, in order */
  update(cameras) {
    if (this.#away) this.#keepUntil = performance.now() + GRACE;
    this.#away = false;
    this.#miss(new Set(cameras.map((camera) => camera.name)));
    cameras.forEach((camera, at) => {
      const tile = this.#tiles.get(camera.name) ?? this.#add(camera);
      tile.update(camera);
      const there = this.#element.children[at];
      if (there !== tile.element) this.#element.insertBefore(tile.element, there ?? null);
    });
    this.refresh();
  }

  /** The server does not answer: hold the last pictures. */
  away() {
    this.#away = true;
    for (const tile of this.#tiles.values()) tile.away();
    this.#stream();
  }

  /** @param {string | null} name null: show all */
  enlarge(name) {
    this.#enlarged = name;
    this.refresh();
  }

  /** Put everything in its place again. */
  refresh() {
    this.#arrange();
    this.#stream();
  }

  /** @param {Camera} camera */
  #add(camera) {
    const tile = new Tile(camera);
    this.#tiles.set(camera.name, tile);
    this.#sights.observe(tile.element);
    return tile;
  }

  /**
   * Drop the tiles of the cameras that are gone.
   * @param {Set<string>} names of those that are there
   */
  #miss(names) {
    const keep = performance.now() < this.#keepUntil;
    for (const [name, tile] of this.#tiles) {
      if (names.has(name)) continue;
      tile.away();
      if (keep) continue;
      this.#sights.unobserve(tile.element);
      this.#tiles.delete(name);
      tile.remove();
    }
  }

  /** @param {IntersectionObserverEntry[]} sights */
  #see(sights) {
    const seen = new Map(sights.map((sight) => [sight.target, sight.isIntersecting]));
    for (const tile of this.#tiles.values()) tile.inView = seen.get(tile.element) ?? tile.inView;
    this.#stream();
  }

  /** Give the streams to tiles in view, first to those that have one; snapshots to the others in view. */
  #stream() {
    const tiles = [...this.#tiles.values()];
    const shown = document.hidden ? [] : tiles.filter((tile) => tile.known && this.#inSight(tile));
    const moving = shown.filter((tile) => tile.moves);
    const most = this.#enlarged === null ? (this.#mayStream() ? STREAMS : 0) : 1;
    moving.sort((a, b) => Number(b.picture.isLive) - Number(a.picture.isLive));
    const live = new Set(moving.slice(0, most));
    for (const tile of tiles) {
      const mode = live.has(tile) ? "live" : shown.includes(tile) ? "still" : "held";
      tile.picture.show(mode, tile.camera);
    }
  }

  /** @param {Tile} tile */
  #inSight(tile) {
    return this.#enlarged === null ? tile.inView : tile.camera.name === this.#enlarged;
  }

  #arrange() {
    const tiles = [...this.#tiles.values()];
    const single = this.#enlarged !== null;
    setData(this.#element, "view", single ? "single" : tiles.length === 1 ? "lone" : "wall");
    for (const tile of tiles) {
      tile.element.hidden = single && tile.camera.name !== this.#enlarged;
      tile.link.hidden = single;
    }
    if (single || tiles.length < 2) return;
    const style = getComputedStyle(this.#element);
    const ratio = sharedRatio(tiles.map((tile) => tile.ratio));
    const { columns, tile } = arrange({
      width: this.#element.clientWidth,
      height: window.innerHeight - this.#element.offsetTop - parseFloat(style.marginBottom),
      gap: parseFloat(style.columnGap),
      ratio,
      captions: tiles.map((each) => each.captionHeight),
    });
    this.#element.style.setProperty("--columns", String(columns));
    this.#element.style.setProperty("--tile", `${tile}px`);
    this.#element.style.setProperty("--ratio", ratio.toFixed(4));
  }
}
