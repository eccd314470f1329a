/** The choice of the models that label a camera. */

import { make, setHidden } from "../dom.js";
import { text } from "./text.js";

export class Models {
  element = make("fieldset", "field models");
  #boxes = make("div", "model-boxes");
  #error = make("p", "field-error");
  /** The choice, as long as it is not changed: not all models may be known here. @type {string[] | null | undefined} */
  #kept;

  constructor() {
    this.#boxes.addEventListener("change", () => (this.#kept = undefined));
    this.element.append(make("legend", "field-name", text.models), this.#boxes);
    this.element.append(make("p", "field-hint", text.modelsHint), this.#error);
    this.complain("");
  }

  /** @param {string[]} known the models to choose from @param {string[] | null} chosen null: all */
  show(known, chosen) {
    this.#kept = chosen;
    const names = [...new Set([...known, ...(chosen ?? [])])].sort();
    this.#boxes.replaceChildren(...names.map((name) => boxOf(name, chosen === null || chosen.includes(name))));
    setHidden(this.element, names.length === 0);
  }

  /** The chosen models; null: all. */
  get value() {
    if (this.#kept !== undefined) return this.#kept;
    const boxes = [...this.#boxes.querySelectorAll("input")];
    const chosen = boxes.filter(({ checked }) => checked).map(({ value }) => value);
    return chosen.length === boxes.length ? null : chosen;
  }

  /** @param {string} words */
  complain(words) {
    this.#error.textContent = words;
    setHidden(this.#error, words === "");
  }

  focus() {
    this.#boxes.querySelector("input")?.focus();
  }
}

/** @param {string} name @param {boolean} checked */
function boxOf(name, checked) {
  const label = make("label", "model-box");
  const box = make("input");
  box.type = "checkbox";
  box.value = name;
  box.checked = checked;
  label.append(box, name);
  return label;
}
