/** One camera on the page. */

import { make, mark, setData, setMark, setText } from "./dom.js";
import { Labels } from "./labels.js";
import { Picture } from "./picture.js";
import { text } from "./text.js";

/** @typedef {import("./api.js").Camera} Camera */
/** @typedef {import("./text.js").Shown} Shown */

export class Tile {
  /** @type {Camera} */
  camera;
  inView = false;
  known = true; // whether the server tells of it now

  element = make("li", "tile");
  link = make("a", "open");
  #caption = make("div", "caption");
  #name = make("h2", "name");
  #state = make("p", "state");
  #mark = mark("mark-away");
  #stateWords = make("span", "state-words");
  #since = make("span", "since");
  #veil = make("p", "veil");
  #veilWords = make("span", "veil-words");
  #labels = new Labels();
  #fps = make("span", "fps");
  #age = make("span", "age");
  #size = make("span", "size");

  /** @param {Camera} camera */
  constructor(camera) {
    this.camera = camera;
    this.picture = new Picture(camera.name);
    this.element.dataset.camera = camera.name;
    this.#name.textContent = this.#name.title = camera.name;
    this.link.href = `?camera=${encodeURIComponent(camera.name)}`;
    this.link.setAttribute("aria-label", text.enlarge(camera.name));
    this.#assemble();
    this.update(camera);
  }

  /** Whether a stream would show anything new. */
  get moves() {
    return this.camera.state !== "no-signal";
  }

  get ratio() {
    const { width, height } = this.camera;
    return width > 0 && height > 0 ? width / height : 16 / 9;
  }

  /** What the words need, in px; in a row of higher ones they have more. */
  get captionHeight() {
    const { paddingTop, paddingBottom, rowGap } = getComputedStyle(this.#caption);
    const parts = /** @type {HTMLElement[]} */ ([...this.#caption.children]);
    const gaps = parseFloat(paddingTop) + parseFloat(paddingBottom) + parseFloat(rowGap) * (parts.length - 1);
    return parts.reduce((sum, part) => sum + part.offsetHeight, gaps);
  }

  /** @param {Camera} camera */
  update(camera) {
    this.camera = camera;
    this.known = true;
    const since = new Date(camera.since);
    const silent = camera.state === "no-signal";
    this.#show(camera.state, camera.state === "live" ? "" : text.since(since));
    this.#veil.hidden = !silent;
    setText(this.#veilWords, silent ? text.noSignal(since) : "");
    this.#labels.update(camera);
    setText(this.#fps, text.fps(silent ? 0 : camera.fps));
    setText(this.#age, text.age(camera.age_ms));
    setText(this.#size, text.size(camera.width, camera.height));
    this.element.style.setProperty("--own-ratio", this.ratio.toFixed(4));
  }

  /** Say that nothing is known of the camera now. */
  away() {
    this.known = false;
    this.#show("away", "");
    this.#veil.hidden = true;
    setText(this.#veilWords, "");
    setText(this.#fps, "");
    setText(this.#age, "");
  }

  /** Take the tile off the page. */
  remove() {
    this.picture.close();
    this.element.remove();
  }

  /** @param {Shown} shown @param {string} since */
  #show(shown, since) {
    setData(this.element, "state", shown);
    setMark(this.#mark, `mark-${shown}`);
    setText(this.#stateWords, text.states[shown]);
    setText(this.#since, since);
  }

  #assemble() {
    const title = make("div", "title");
    const stats = make("p", "stats");
    const preview = make("span", "preview", text.preview);
    this.#state.append(this.#mark, this.#stateWords, " ", this.#since);
    this.#veil.append(mark("mark-no-signal"), this.#veilWords);
    title.append(this.#name, this.#state);
    stats.append(this.#fps, " ", this.#age, " ", this.#size);
    this.picture.element.append(this.#veil, preview);
    this.#caption.append(title, this.#labels.element, stats);
    this.element.append(this.picture.element, this.#caption, this.link);
  }
}
