/** What the single view tells besides the picture and its labels: tools, how score and age went, the last labels. */

import { snapshotOf, streamOf } from "./addresses.js";
import { make, mark, setHidden } from "./dom.js";
import { Log } from "./log.js";
import { Sparkline } from "./sparkline.js";
import { text } from "./text.js";

/** @typedef {import("./tile.js").Tile} Tile */

const LEAST_AGE = 500; // ms, at the top of the age's line: small ages stay low

export class Details {
  #tools = make("div", "tools");
  #trends = make("section", "section trends");
  #labels = make("section", "section last");
  #fullscreen = make("button", "path");
  #snapshot = make("a", "path");
  #stream = make("a", "path");
  #address = make("input", "address");
  #sparks = make("div", "sparks");
  #age = new Sparkline(text.ageTrend, text.ageTrendOf, text.span);
  /** @type {Map<string, Sparkline>} */
  #scores = new Map();
  /** @type {Log | null} */
  #log = null;
  /** @type {Tile | null} */
  #tile = null;

  constructor() {
    this.#fullscreen.append(mark("sign-fullscreen"), text.fullscreen);
    this.#fullscreen.hidden = !document.fullscreenEnabled;
    this.#snapshot.title = text.snapshotTitle;
    this.#snapshot.append(mark("sign-save"), text.snapshot);
    this.#stream.append(mark("sign-stream"), text.stream);
    this.#stream.target = "_blank";
    this.#address.readOnly = true;
    this.#address.setAttribute("aria-label", text.streamAddress);
    this.#address.addEventListener("focus", () => this.#address.select());
    this.#fullscreen.addEventListener("click", () => this.toggleFullscreen());
    this.#tools.append(this.#fullscreen, this.#snapshot, this.#stream, this.#address);
    this.#trends.append(make("h3", "section-name", text.trends), this.#sparks);
  }

  /** Stand beside this tile's picture; null: nowhere. @param {Tile | null} tile */
  show(tile) {
    if (tile === this.#tile) return;
    this.#log?.close();
    this.#log = null;
    this.#tile = tile;
    if (document.fullscreenElement) void document.exitFullscreen();
    for (const part of [this.#tools, this.#trends, this.#labels]) part.remove();
    this.#labels.replaceChildren();
    if (tile) this.#open(tile);
  }

  /** Draw the lines anew. */
  update() {
    if (!this.#tile) return;
    const { ages, scores } = this.#tile.trend;
    const now = performance.now();
    for (const [model, points] of scores) this.#sparkOf(model).draw(points, now, 1);
    for (const [model, spark] of this.#scores) {
      if (scores.has(model)) continue;
      spark.element.remove();
      this.#scores.delete(model);
    }
    const highest = ages.reduce((most, { value }) => Math.max(most, value || 0), LEAST_AGE);
    this.#age.draw(ages, now, highest);
  }

  /** Show the picture alone, as large as the screen; or no longer. */
  toggleFullscreen() {
    if (document.fullscreenElement) void document.exitFullscreen();
    else this.#tile?.screen.element.requestFullscreen().catch(() => {}); // refused: it stays as it is
  }

  /** Have the browser save the newest picture. */
  save() {
    if (this.#tile) this.#snapshot.click();
  }

  /** @param {Tile} tile */
  #open(tile) {
    const { name } = tile.camera;
    const stream = streamOf(name);
    this.#snapshot.href = snapshotOf(name);
    this.#snapshot.download = `${name}.jpg`;
    setHidden(this.#stream, stream === null);
    this.#stream.href = stream ?? "";
    this.#address.value = stream === null ? text.noStream : this.#stream.href;
    this.#scores.clear();
    this.#sparks.replaceChildren(this.#age.element);
    this.#log = new Log(name);
    this.#labels.append(make("h3", "section-name", text.labels), this.#log.element);
    tile.caption.append(this.#tools, this.#labels);
    tile.element.append(this.#trends);
    tile.caption.scrollTop = 0;
    this.update();
  }

  /** @param {string} model */
  #sparkOf(model) {
    const known = this.#scores.get(model);
    if (known) return known;
    const spark = new Sparkline(model, text.scoreTrendOf, text.score);
    this.#scores.set(model, spark);
    this.#age.element.before(spark.element);
    return spark;
  }
}
