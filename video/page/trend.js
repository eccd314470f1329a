/** A camera's scores and picture ages over the last two minutes. */

import { SPAN } from "./sparkline.js";

/** @typedef {import("./live/types.js").Prediction} Prediction */
/** @typedef {import("./sparkline.js").Point} Point */

const EVERY = 900; // ms: one point per second, even if the server reports more often

export class Trend {
  /** The age of the picture on the screen, ms. @type {Point[]} */
  ages = [];
  /** The score of each model's first result, 0 to 1. @type {Map<string, Point[]>} */
  scores = new Map();
  #last = -Infinity;

  /**
   * @param {number} at ms
   * @param {Prediction[]} predictions
   * @param {number} age ms; NaN if no picture is shown
   */
  add(at, predictions, age) {
    if (at - this.#last < EVERY) return;
    this.#last = at;
    push(this.ages, at, age);
    for (const { model } of predictions) if (!this.scores.has(model)) this.scores.set(model, []);
    for (const [model, points] of this.scores) {
      const prediction = predictions.find((each) => each.model === model);
      push(points, at, prediction?.results[0]?.score ?? NaN);
      if (!points.some(({ value }) => Number.isFinite(value)) && !prediction) this.scores.delete(model);
    }
  }
}

/** @param {Point[]} points @param {number} at @param {number} value */
function push(points, at, value) {
  points.push({ at, value });
  while (points[0].at < at - SPAN) points.shift();
}
