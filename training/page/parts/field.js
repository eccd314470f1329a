/** One field of a form: its label, its input, a hint, and what is wrong with it. */

import { make, setHidden, setText } from "../dom.js";

/**
 * What a form does with a field.
 * @typedef {object} Part
 * @property {HTMLElement} element
 * @property {string} value
 * @property {(words: string) => void} complain empty if nothing is wrong
 * @property {() => void} focus
 */

/** @implements {Part} */
export class Field {
  element = make("div", "field");
  #hint = make("p", "field-hint");
  #error = make("p", "field-error");
  #input;

  /**
   * @param {string} name unique on the page
   * @param {string} label
   * @param {HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement} input
   * @param {string} [hint]
   */
  constructor(name, label, input, hint = "") {
    const title = make("label", "field-name", label);
    this.#input = input;
    input.id = title.htmlFor = `field-${name}`;
    this.#hint.id = `${input.id}-hint`;
    this.#error.id = `${input.id}-error`;
    input.setAttribute("aria-describedby", `${this.#error.id} ${this.#hint.id}`);
    input.addEventListener("input", () => this.complain(""));
    if (input.type === "checkbox") {
      const row = make("div", "check");
      row.append(input, title);
      this.element.append(row, this.#hint, this.#error);
    } else {
      input.classList.add("field-input");
      this.element.append(title, input, this.#hint, this.#error);
    }
    this.hint(hint);
    this.complain("");
  }

  /** Of a check box: "true" or empty. */
  get value() {
    if (this.#input instanceof HTMLInputElement && this.#input.type === "checkbox") return this.#input.checked ? "true" : "";
    return this.#input.value;
  }

  set value(value) {
    if (this.#input instanceof HTMLInputElement && this.#input.type === "checkbox") this.#input.checked = value !== "";
    else this.#input.value = value;
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

/** @param {Record<string, string>} [attributes] @returns {HTMLInputElement} */
export function textInput(attributes = {}) {
  const input = make("input");
  const all = { type: "text", autocomplete: "off", autocapitalize: "none", spellcheck: "false", ...attributes };
  for (const [name, value] of Object.entries(all)) input.setAttribute(name, value);
  return input;
}

/** @param {Record<string, string>} [attributes] @returns {HTMLTextAreaElement} */
export function textArea(attributes = {}) {
  const area = make("textarea");
  const all = { autocomplete: "off", autocapitalize: "none", spellcheck: "false", rows: "4", ...attributes };
  for (const [name, value] of Object.entries(all)) area.setAttribute(name, value);
  return area;
}

/** @param {[string, string][]} options values and words @returns {HTMLSelectElement} */
export function choice(options) {
  const select = make("select");
  offer(select, options);
  return select;
}

/** Replace the options; the chosen one stays if it is still there. @param {HTMLSelectElement | HTMLDataListElement} select @param {[string, string][]} options */
export function offer(select, options) {
  const key = JSON.stringify(options);
  if (select.dataset.options === key) return;
  select.dataset.options = key;
  const chosen = select instanceof HTMLSelectElement ? select.value : null;
  select.replaceChildren(...options.map(([value, words]) => new Option(words, value)));
  if (select instanceof HTMLSelectElement && options.some(([value]) => value === chosen)) select.value = chosen ?? "";
}

export function checkBox() {
  const input = make("input");
  input.type = "checkbox";
  return input;
}
