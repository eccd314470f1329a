/** A camera's labels as lines of text: one per result, grouped by model. */

import { make, makeForeign, setData, setOrder, setText } from "./dom.js";
import { text } from "./text.js";

/** @typedef {import("./live/types.js").Camera} Camera */
/** @typedef {import("./live/types.js").Prediction} Prediction */

/**
 * @typedef {object} Line
 * @property {string} model empty on a model's further lines
 * @property {string} label
 * @property {number | null} score null if there is no result
 * @property {string} boxes the number of boxes; empty on a model's further lines
 * @property {string} age of a stale label; otherwise empty
 * @property {boolean} extra whether the wall leaves it out
 */

const ON_WALL = 3; // lines per model

/** @type {Line} */
const NONE = { model: "", label: "", score: null, boxes: "", age: "", extra: false };

/**
 * @param {Camera} camera
 * @returns {Line[]}
 */
export function linesOf(camera) {
  const lines = camera.predictions.flatMap(linesOfModel);
  return lines.length ? lines : [{ ...NONE, model: text.noModel, label: text.noLabel }];
}

/**
 * @param {Prediction} prediction
 * @returns {Line[]}
 */
function linesOfModel({ model, results, seq, age_ms, stale }) {
  const age = stale ? text.labelAge(age_ms) : "";
  if (seq === null) return [{ ...NONE, model, label: text.noAnswer }];
  if (!results.length) return [{ ...NONE, model, label: text.nothing, age }];
  const count = results.filter(({ box }) => box).length;
  const boxes = count ? text.boxes(count) : "";
  return results.map(({ label, score }, at) => {
    const further = { ...NONE, label, score, extra: at >= ON_WALL };
    return at === 0 ? { ...further, model, boxes, age } : further;
  });
}

/** One line on the page. */
class Row {
  element = make("li", "line");
  #model = make("span", "model");
  #modelName = make("span", "model-name");
  #boxes = make("span", "boxes");
  #label = makeForeign("span", "label");
  #age = make("span", "label-age");
  #score = make("span", "score");
  #meter = make("span", "meter");
  #share = "";

  constructor() {
    const words = make("span", "words");
    this.#model.append(this.#modelName, " ", this.#boxes);
    words.append(this.#label, " ", this.#age);
    this.element.append(this.#model, " ", words, " ", this.#score, this.#meter);
  }

  /** @param {Line} line */
  update({ model, label, score, boxes, age, extra }) {
    setText(this.#modelName, model);
    setText(this.#boxes, boxes);
    setText(this.#label, label);
    if (this.#label.title !== label) this.#label.title = label; // it may be cut off on the wall
    setText(this.#age, age);
    setText(this.#score, score === null ? "" : text.score(score));
    const share = String(Math.min(1, Math.max(0, score ?? 0)));
    if (share !== this.#share) this.#meter.style.setProperty("--score", share);
    this.#share = share;
    setData(this.element, "further", String(model === ""));
    setData(this.element, "old", String(age !== ""));
    setData(this.element, "none", String(score === null));
    setData(this.element, "extra", String(extra));
  }
}

/** The list of lines. It keeps the greatest height it has needed, so that nothing jumps. */
export class Labels {
  element = make("ul", "labels");
  /** @type {Row[]} */
  #rows = [];
  /** The most there have been; there is always room for as many. */
  #most = { lines: 0, all: 0, models: 0 };

  /** The number of lines that the wall has room for. */
  get lines() {
    return this.#most.lines;
  }

  /** @param {Camera} camera */
  update(camera) {
    const lines = linesOf(camera);
    while (this.#rows.length > lines.length) this.#rows.pop()?.element.remove();
    lines.forEach((line, at) => {
      this.#rows[at] ??= new Row();
      this.#rows[at].update(line);
    });
    setOrder(this.element, this.#rows.map(({ element }) => element));
    this.#reserve("lines", lines.filter((line) => !line.extra).length);
    this.#reserve("all", lines.length);
    this.#reserve("models", Math.max(1, camera.predictions.length));
  }

  /** @param {"lines" | "all" | "models"} what @param {number} count */
  #reserve(what, count) {
    if (count <= this.#most[what]) return;
    this.#most[what] = count;
    this.element.style.setProperty(`--${what}`, String(count));
  }
}
