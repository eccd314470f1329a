/** One field of a form: its label, its input, a hint, and what is wrong with it. */

import { make, setHidden, setText } from "../dom.js";

export class Field {
  element = make("div", "field");
  #hint = make("p", "field-hint");
  #error = make("p", "field-error");
  #input;

  /**
   * @param {string} name unique on the page
   * @param {string} label
   * @param {HTMLInputElement | HTMLSelectElement} input
   * @param {string} [hint]
   */
  constructor(name, label, input, hint = "") {
    const title = make("label", "field-name", label);
    this.#input = input;
    input.id = title.htmlFor = `field-${name}`;
    input.classList.add("field-input");
    this.#hint.id = `${input.id}-hint`;
    this.#error.id = `${input.id}-error`;
    input.setAttribute("aria-describedby", `${this.#error.id} ${this.#hint.id}`);
    input.addEventListener("input", () => this.complain(""));
    this.element.append(title, input, this.#hint, this.#error);
    this.hint(hint);
    this.complain("");
  }

  get value() {
    return this.#input.value;
  }

  set value(value) {
    this.#input.value = value;
  }

  /** @param {string} words */
  hint(words) {
    setText(this.#hint, words);
    setHidden(this.#hint, words === "");
  }

  /** Show what is wrong with the value. @param {string} words empty if nothing is */
  complain(words) {
    setText(this.#error, words);
    setHidden(this.#error, words === "");
    if (words) this.#input.setAttribute("aria-invalid", "true");
    else this.#input.removeAttribute("aria-invalid");
  }

  focus() {
    this.#input.focus();
  }
}

/** @param {Record<string, string>} [attributes] @returns {HTMLInputElement} for a short text */
export function textInput(attributes = {}) {
  const input = make("input");
  // Browsers would offer what was typed before, such as links with passwords.
  const all = { type: "text", autocomplete: "off", autocapitalize: "none", spellcheck: "false", ...attributes };
  for (const [name, value] of Object.entries(all)) input.setAttribute(name, value);
  return input;
}
