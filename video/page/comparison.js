/** What models of the same kind have answered about a camera over the last two minutes, to compare them. */

import { SPAN } from "./sparkline.js";

/** @typedef {import("./live/types.js").Prediction} Prediction */

/**
 * An answer: when it was seen (ms), the frame it is about, its first label (null if it found nothing), and how long
 * the model took (ms; NaN if that is not known).
 * @typedef {{at: number, seq: number, label: string | null, took: number}} Answer
 */

const EVERY = 900; // ms: about one answer per second, even if the server reports more often

/** The part of a model's name that says what it is asked: `imagenet` in `imagenet_8`. @param {string} model */
const kindOf = (model) => model.split("_")[0];

/**
 * Return the first other model of the same kind, such as the same model in another precision; null if there is none.
 * @param {string} model
 * @param {Prediction[]} predictions
 */
export function siblingOf(model, predictions) {
  const found = predictions.find((each) => each.model !== model && kindOf(each.model) === kindOf(model));
  return found?.model ?? null;
}

export class Comparison {
  /** By model, the oldest first. @type {Map<string, Answer[]>} */
  #answers = new Map();
  #last = -Infinity;

  /** @param {number} at ms @param {Prediction[]} predictions */
  add(at, predictions) {
    if (at - this.#last < EVERY) return;
    this.#last = at;
    for (const { model, results, seq, took_ms } of predictions) {
      if (seq === null || siblingOf(model, predictions) === null) continue;
      const answers = this.#answers.get(model) ?? [];
      this.#answers.set(model, answers);
      if (answers.at(-1)?.seq === seq) continue; // the same answer again
      answers.push({ at, seq, label: results[0]?.label ?? null, took: took_ms ?? NaN });
    }
    for (const [model, answers] of this.#answers) {
      while (answers.length && answers[0].at < at - SPAN) answers.shift();
      if (!answers.length) this.#answers.delete(model);
    }
  }

  /** Return the median of the times that a model took, ms; NaN if none is known. @param {string} model */
  tookOf(model) {
    const times = (this.#answers.get(model) ?? []).map(({ took }) => took).filter(Number.isFinite);
    times.sort((a, b) => a - b);
    const half = Math.floor(times.length / 2);
    return times.length % 2 ? times[half] : (times[half - 1] + times[half]) / 2;
  }

  /**
   * Return how many frames both models have answered, and for how many of them with the same label.
   * @param {string} model
   * @param {string} other
   */
  agreementOf(model, other) {
    const labels = new Map((this.#answers.get(other) ?? []).map(({ seq, label }) => [seq, label]));
    const both = (this.#answers.get(model) ?? []).filter(({ seq }) => labels.has(seq));
    return { same: both.filter(({ seq, label }) => labels.get(seq) === label).length, of: both.length };
  }
}
