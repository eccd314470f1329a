/** A camera's labels as lines of text: one a result, grouped by model. */

import { make, setData, setText } from "./dom.js";
import { text } from "./text.js";

/** @typedef {import("./api.js").Camera} Camera */
/** @typedef {import("./api.js").Prediction} Prediction */

/**
 * @typedef {object} Line
 * @property {string} model empty on a model's further lines
 * @property {string} label
 * @property {number | null} score null when there is no result
 * @property {string} age set when the label is old
 * @property {boolean} extra left out on the wall
 */

const ON_WALL = 3; // lines of one model

/**
 * Whether this is (one of) the answers that make a camera's label stale. The server's limit is not known here:
 * of the answers of a stale camera, the oldest is past it, and the much younger ones are not.
 * @param {Prediction} prediction
 * @param {Camera} camera
 */
function isOld(prediction, camera) {
  if (camera.state !== "stale" || prediction.age_ms === null) return camera.state === "stale";
  const oldest = Math.max(...camera.predictions.map((other) => other.age_ms ?? 0));
  return prediction.age_ms > oldest / 2;
}

/**
 * @param {Camera} camera
 * @returns {Line[]}
 */
export function linesOf(camera) {
  const lines = camera.predictions.flatMap((prediction) => {
    const age = isOld(prediction, camera) ? text.labelAge(prediction.age_ms) : "";
    return linesOfModel(prediction, age);
  });
  return lines.length ? lines : [{ model: text.noModel, label: text.noLabel, score: null, age: "", extra: false }];
}

/**
 * @param {Prediction} prediction
 * @param {string} age
 * @returns {Line[]}
 */
function linesOfModel({ model, results }, age) {
  if (!results.length) return [{ model, label: text.nothing, score: null, age, extra: false }];
  return results.map(({ label, score }, at) => {
    const first = at === 0;
    return { model: first ? model : "", label, score, age: first ? age : "", extra: at >= ON_WALL };
  });
}

/** One line on the page. */
class Row {
  element = make("li", "line");
  #model = make("span", "model");
  #label = make("span", "label");
  #age = make("span", "label-age");
  #score = make("span", "score");
  #meter = make("span", "meter");

  constructor() {
    const words = make("span", "words");
    words.append(this.#label, " ", this.#age);
    this.element.append(this.#model, " ", words, " ", this.#score, this.#meter);
  }

  /** @param {Line} line */
  update({ model, label, score, age, extra }) {
    setText(this.#model, model);
    setText(this.#label, label);
    if (this.#label.title !== label) this.#label.title = label; // it may be cut on the wall
    setText(this.#age, age);
    setText(this.#score, score === null ? "" : text.score(score));
    this.#meter.style.setProperty("--score", String(Math.min(1, Math.max(0, score ?? 0))));
    setData(this.element, "old", String(age !== ""));
    setData(this.element, "none", String(score === null));
    setData(this.element, "extra", String(extra));
  }
}

/** The list of lines; on the wall it keeps the height it once needed, so that nothing jumps. */
export class Labels {
  element = make("ul", "labels");
  /** @type {Row[]} */
  #rows = [];
  #most = 0;

  constructor() {
    this.element.setAttribute("aria-live", "off");
  }

  /** @param {Camera} camera */
  update(camera) {
    const lines = linesOf(camera);
    while (this.#rows.length > lines.length) this.#rows.pop()?.element.remove();
    lines.forEach((line, at) => {
      this.#rows[at] ??= new Row();
      this.#rows[at].update(line);
      if (!this.#rows[at].element.isConnected) this.element.append(this.#rows[at].element);
    });
    this.#most = Math.max(this.#most, lines.filter((line) => !line.extra).length);
    this.element.style.setProperty("--lines", String(this.#most));
  }
}
