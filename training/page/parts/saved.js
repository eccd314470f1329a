/** What the server has, next to what is typed: a note says when somebody else has changed it. */

import { make, setHidden } from "../dom.js";
import { text } from "../text/common.js";
import { button } from "./screen.js";

/** @typedef {Record<string, string>} Values */

export class Saved {
  element = make("p", "note", `${text.changedElsewhere} `);
  /** @type {Values | null} */
  #saved = null;
  /** What the form had when nothing was typed: it may show less than what the server has. @type {Values} */
  #filled = {};
  /** @type {Values | null} */
  #newer = null;
  #typed;
  #fill;

  /**
   * @param {() => Values} typed what the form has now
   * @param {(values: Values) => void} fill puts values into the form
   */
  constructor(typed, fill) {
    this.#typed = typed;
    this.#fill = fill;
    this.element.hidden = true;
    this.element.append(button(text.showNewer, () => this.#newer && this.take(this.#newer)));
  }

  /** Whether something is typed that the server does not have. */
  get isChanged() {
    return this.#saved !== null && differ(this.#typed(), this.#filled);
  }

  /** Show what the server has now; what was typed stays. @param {Values} found */
  show(found) {
    if (this.#saved && !differ(found, this.#saved)) this.#note(null);
    else if (this.#saved && this.isChanged && differ(found, this.#typed())) this.#note(found);
    else this.take(found);
  }

  /** Put this into the form, in place of what was typed. @param {Values} found */
  take(found) {
    this.#saved = found;
    this.#fill(found);
    this.#filled = this.#typed();
    this.#note(null);
  }

  /** Forget what was typed. */
  discard() {
    if (this.#saved) this.take(this.#newer ?? this.#saved);
  }

  /** @param {Values | null} newer */
  #note(newer) {
    this.#newer = newer;
    setHidden(this.element, newer === null);
  }
}

/** @param {Values} one @param {Values} other */
const differ = (one, other) => Object.keys(other).some((name) => one[name] !== other[name]);
