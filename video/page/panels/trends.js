/** How the scores and the picture's age developed over the last two minutes. */

import { make } from "../dom.js";
import { Sparkline } from "../sparkline.js";
import { text } from "../text.js";

/** @typedef {import("../details.js").Panel} Panel */
/** @typedef {import("../tile.js").Tile} Tile */
/** @typedef {import("../trend.js").Trend} Trend */

const LEAST_AGE = 500; // ms, the least value at the top of the age's line, so that small ages stay low

/** @implements {Panel} */
export class Trends {
  /** @type {"below"} */
  place = "below";
  element = make("section", "section trends");
  #sparks = make("div", "sparks");
  #age = new Sparkline(text.ageTrend, text.ageTrendOf, text.span);
  /** By model. @type {Map<string, Sparkline>} */
  #scores = new Map();
  /** @type {Trend | null} */
  #trend = null;

  constructor() {
    this.element.append(make("h3", "section-name", text.trends), this.#sparks);
  }

  /** @param {Tile} tile */
  open({ trend }) {
    this.#trend = trend;
    this.#scores.clear();
    this.#sparks.replaceChildren(this.#age.element);
    this.update();
  }

  update() {
    if (!this.#trend) return;
    const { ages, scores } = this.#trend;
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

  close() {
    this.#trend = null;
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
