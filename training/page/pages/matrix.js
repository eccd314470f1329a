/** The confusion matrix of a result. */

import { make, setHidden } from "../dom.js";
import { matrixOf } from "../parts/matrix.js";
import { link, section } from "../parts/screen.js";
import { text } from "../text/result.js";

export class Matrix {
  #place = make("div");
  #shown = "";
  element;

  /** @param {number} result its id */
  constructor(result) {
    const file = link(text.result.matrixFile, `results/confusion_matrix/${result}`);
    const acts = make("div", "page-acts");
    file.download = `confusion-matrix-${result}.png`;
    acts.append(file);
    this.element = section(text.result.matrix, make("p", "soft", text.result.matrixLead), this.#place, acts);
  }

  /** @param {number[][] | null} matrix */
  show(matrix) {
    setHidden(this.element, !matrix?.length);
    const key = JSON.stringify(matrix);
    if (this.#shown === key) return;
    this.#shown = key;
    this.#place.replaceChildren(...(matrix?.length ? [matrixOf(matrix)] : []));
  }
}
