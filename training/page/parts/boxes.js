/** A field in which several things are chosen. */

import { make, makeForeign, setHidden, setText } from "../dom.js";

/** @typedef {import("./field.js").Part} Part */

/** @implements {Part} */
export class Boxes {
  element = make("fieldset", "field");
  #boxes = make("div", "boxes");
  #none = make("p", "soft");
  #error = make("p", "field-error");
  /** @type {Map<number, HTMLInputElement>} */
  #inputs = new Map();
  /** @type {Set<number>} */
  #wanted = new Set();

  /**
   * @param {string} name unique on the page
   * @param {string} label
   * @param {string} hint
   * @param {string} none what is said while there is nothing to choose
   * @param {{words: string, href: string}} add the link that helps then
   */
  constructor(name, label, hint, none, add) {
    const link = make("a", "", add.words);
    link.href = add.href;
    this.#none.append(none, " ", link);
    this.#none.hidden = true;
    this.element.id = `field-${name}`;
    this.element.append(make("legend", "field-name", label), this.#boxes, this.#none, make("p", "field-hint", hint), this.#error);
    this.#error.id = `field-${name}-error`;
    this.element.setAttribute("aria-describedby", this.#error.id);
    this.complain("");
  }

  get value() {
    return this.chosen.join();
  }

  set value(value) {
    this.chosen = value.split(",").filter(Boolean).map(Number);
  }

  get chosen() {
    return [...this.#inputs].filter(([, input]) => input.checked).map(([id]) => id);
  }

  set chosen(ids) {
    this.#wanted = new Set(ids);
    for (const [id, input] of this.#inputs) input.checked = this.#wanted.has(id);
  }

  /** Show these; what is chosen stays. @param {[number, string][]} known ids and names */
  show(known) {
    const key = JSON.stringify(known);
    setHidden(this.#none, known.length > 0);
    if (this.#boxes.dataset.key === key) return;
    this.#boxes.dataset.key = key;
    const chosen = new Set([...this.chosen, ...this.#wanted]);
    this.#inputs = new Map();
    this.#boxes.replaceChildren(
      ...known.map(([id, name]) => {
        const label = make("label", "box");
        const input = make("input");
        input.type = "checkbox";
        input.checked = chosen.has(id);
        input.addEventListener("change", () => {
          this.#wanted.delete(id);
          this.complain("");
        });
        this.#inputs.set(id, input);
        label.append(input, makeForeign("span", "", name));
        return label;
      }),
    );
  }

  /** @param {string} words */
  complain(words) {
    setText(this.#error, words);
    setHidden(this.#error, words === "");
  }

  focus() {
    [...this.#inputs.values()][0]?.focus();
  }
}
