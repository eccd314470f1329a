/** One camera on the page. */

import { viewOf } from "./addresses.js";
import { Comparison } from "./comparison.js";
import { make, makeForeign, mark, setData, setMark, setText } from "./dom.js";
import { Labels } from "./labels.js";
import { Screen } from "./screen.js";
import { text } from "./text.js";
import { Trend } from "./trend.js";

/** @typedef {import("./live/types.js").Camera} Camera */
/** @typedef {import("./live/types.js").News} News */
/** @typedef {import("./text.js").Shown} Shown */

export class Tile {
  /** @type {Camera} */
  camera;
  /** @type {Shown} */
  state = "away";
  inView = false;
  attached = false; // whether its pictures are drawn: from when it is first in view
  trend = new Trend();
  comparison = new Comparison();

  element = make("li", "tile");
  link = make("a", "open");
  caption = make("div", "caption");
  #name = makeForeign("h2", "name");
  #state = make("p", "state");
  #mark = mark("mark-away");
  #stateWords = make("span", "state-words");
  #since = make("span", "since");
  #labels = new Labels();
  #fps = make("span", "fps");
  #drawn = make("span", "drawn");
  #size = make("span", "size");
  #ratio = "";
  #pace = NaN; // pictures drawn per second

  /** @param {Camera} camera */
  constructor(camera) {
    this.camera = camera;
    this.screen = new Screen(camera.name);
    this.element.dataset.camera = camera.name;
    this.#name.textContent = this.#name.title = camera.name;
    this.link.href = viewOf(camera.name);
    this.link.setAttribute("aria-label", text.enlarge(camera.name));
    this.#assemble();
    this.update(camera);
  }

  get ratio() {
    const { width, height } = this.camera;
    return width > 0 && height > 0 ? width / height : 16 / 9;
  }

  /** The number of lines of labels that the wall has room for here. */
  get lines() {
    return this.#labels.lines;
  }

  /** Return the height of a line of labels and of the rest of the caption, px. Reads the layout, so call it rarely. */
  measure() {
    const { paddingTop, paddingBottom, rowGap } = getComputedStyle(this.caption);
    const parts = /** @type {HTMLElement[]} */ ([...this.caption.children]);
    const gaps = parseFloat(paddingTop) + parseFloat(paddingBottom) + parseFloat(rowGap) * (parts.length - 1);
    const whole = parts.reduce((sum, part) => sum + part.offsetHeight, gaps);
    const labels = this.#labels.element.offsetHeight;
    return { line: labels / this.lines, rest: whole - labels };
  }

  /** @param {Camera} camera */
  update(camera) {
    this.camera = camera;
    this.#show(camera.state, new Date(camera.since), camera.reason);
    const gone = this.screen.veiled;
    this.#labels.update(camera);
    setText(this.#fps, text.fps(gone ? 0 : camera.fps));
    if (gone) this.#pace = NaN;
    setText(this.#size, camera.width > 0 ? text.size(camera.width, camera.height) : "");
    this.trend.add(performance.now(), camera.predictions, gone ? NaN : this.screen.age);
    this.comparison.add(performance.now(), camera.predictions);
    const ratio = this.ratio.toFixed(4);
    if (ratio !== this.#ratio) this.element.style.setProperty("--own-ratio", ratio);
    this.#ratio = ratio;
  }

  /** Note that pictures have been drawn. @param {News} news about the last of them */
  drawn({ age_ms, fps }) {
    this.screen.drawn(age_ms);
    this.#pace = fps;
  }

  /** Show that the camera's state is unknown. @param {Date | null} since */
  away(since) {
    this.#show("away", since, null);
    setText(this.#fps, "");
    this.#pace = NaN;
  }

  /** Update the picture's age and pace on display; called a few times per second. */
  tick() {
    const { fps } = this.camera;
    this.screen.tick(fps > 0 ? 1000 / fps : Infinity);
    setText(this.#drawn, text.drawn(this.#pace));
  }

  /** @param {Shown} state @param {Date | null} since @param {string | null} reason */
  #show(state, since, reason) {
    this.state = state;
    setData(this.element, "state", state);
    setMark(this.#mark, `mark-${state}`);
    setText(this.#stateWords, text.states[state]);
    setText(this.#since, text.since(state, since));
    this.screen.show(state, since, reason);
    // On the wall, the link covers everything else.
    const full = reason === null ? "" : text.reason(reason);
    for (const element of [this.link, this.#state]) if (element.title !== full) element.title = full;
  }

  #assemble() {
    const title = make("div", "title");
    const stats = make("p", "stats");
    this.#state.append(this.#mark, this.#stateWords, " ", this.#since);
    title.append(this.#name, this.#state);
    stats.append(this.#fps, " ", this.#drawn, " ", this.#size);
    this.caption.append(title, this.#labels.element, stats);
    this.element.append(this.screen.element, this.caption, this.link);
  }
}
