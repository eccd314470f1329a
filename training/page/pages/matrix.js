/** The confusion matrix of a result. */

import { make, setHidden } from "../dom.js";
import { get } from "../requests.js";
import { classNamesOf } from "../streams.js";
import { matrixOf } from "../parts/matrix.js";
import { link, section } from "../parts/screen.js";
import { text } from "../text/result.js";

export class Matrix {
  #place = make("div");
  #shown = "";
  /** @type {string[] | null} */
  #names = null;
  element;

  /** @param {number} result its id */
  constructor(result) {
    const file = link(text.result.matrixFile, `results/confusion_matrix/${result}`);
    const acts = make("div", "page-acts");
    file.download = `confusion-matrix-${result}.png`;
    acts.append(file);
    this.element = section(text.result.matrix, make("p", "soft", text.result.matrixLead), this.#place, acts);
  }

  /** @param {Pick<import("../types.js").Result, "confusion_matrix" | "deployment">} result */
  show({ confusion_matrix: matrix, deployment }) {
    setHidden(this.element, !matrix?.length);
    const key = JSON.stringify([matrix, this.#names]);
    if (this.#shown === key) return;
    this.#shown = key;
    this.#place.replaceChildren(...(matrix?.length ? [matrixOf(matrix, this.#names ?? [])] : []));
    if (matrix?.length && !this.#names) void this.#ask(deployment.id, matrix.length);
  }

  /** Ask what the classes are called, for the next time that it is shown. @param {number} deployment @param {number} count */
  async #ask(deployment, count) {
    const answer = await get("datasources/");
    if (answer.ok) this.#names = classNamesOf(answer.body, deployment, count);
  }
}
