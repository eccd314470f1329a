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
    const key = JSON.stringify(matrix);
    if (this.#shown === key) return;
    this.#shown = key;
    this.#place.replaceChildren(...(matrix?.length ? [matrixOf(matrix, this.#names ?? [])] : []));
    if (matrix?.length && !this.#names) void this.#ask(deployment.id, matrix);
  }

  /** Ask what the classes are called. @param {number} deployment @param {number[][]} matrix */
  async #ask(deployment, matrix) {
    const answer = await get("datasources/");
    if (!answer.ok) return;
    this.#names = classNamesOf(answer.body, deployment, matrix.length);
    if (this.#names.length) this.#place.replaceChildren(matrixOf(matrix, this.#names));
  }
}
