/** A form: its fields, its buttons, and where errors are shown. */

import { loginLink } from "../session.js";
import { make, makeForeign, setHidden, setText } from "../dom.js";
import { showNotice } from "../notice.js";
import { text } from "../text/common.js";
import { fieldOf, shortOf } from "./complaint.js";

/** @typedef {import("./field.js").Part} Part */
/** @typedef {import("../requests.js").Answer} Answer */

export class Form {
  element = make("form", "form");
  #problem = makeForeign("p", "problem");
  #submit;
  #words;
  #fields;
  #busy = false;
  /** Whether something was typed or chosen. */
  isTouched = false;

  /**
   * @param {Record<string, Part>} fields by the names that the API has for them
   * @param {string[]} more the names of those that are folded up
   * @param {{submit: string, more?: string, cancel?: string}} words
   * @param {() => Promise<void>} run
   * @param {boolean} [changes] whether it changes something, which some users may not
   */
  constructor(fields, more, words, run, changes = true) {
    this.#fields = fields;
    this.#words = words;
    this.#submit = make("button", changes ? "path main changes" : "path main", words.submit);
    this.#problem.setAttribute("role", "alert");
    this.element.noValidate = true; // the server's words are better
    const end = make("div", "form-end");
    if (words.cancel) {
      const cancel = make("a", "path", text.cancel);
      cancel.href = words.cancel;
      end.append(cancel);
    }
    end.append(this.#submit);
    if (changes) end.prepend(make("p", "soft only-views", text.onlyViews));
    const names = Object.keys(fields);
    this.element.append(this.#problem, ...names.filter((name) => !more.includes(name)).map((name) => fields[name].element));
    if (more.length) {
      const folded = make("details", "more");
      const inside = make("div", "fields");
      inside.append(...more.map((name) => fields[name].element));
      folded.append(make("summary", "more-name", words.more), inside);
      this.element.append(folded);
    }
    this.element.append(end);
    this.element.addEventListener("input", () => (this.isTouched = true));
    this.element.addEventListener("submit", (event) => {
      event.preventDefault();
      if (!this.#busy) void run();
    });
    this.complain("");
  }

  /** The values of all fields that are shown, or folded up. @returns {Record<string, string>} */
  get values() {
    const shown = Object.entries(this.#fields).filter(([, { element }]) => !element.hidden);
    return Object.fromEntries(shown.map(([name, field]) => [name, field.value]));
  }

  /** @param {Record<string, string>} values of some fields */
  set values(values) {
    for (const [name, value] of Object.entries(values)) if (this.#fields[name]) this.#fields[name].value = value;
  }

  /**
   * Show what is wrong at the field that it is about, or above all fields.
   * @param {string} why empty if nothing is
   * @param {string | null} [field] where, if the words do not say it
   */
  complain(why, field = null) {
    for (const each of Object.values(this.#fields)) each.complain("");
    const name = field ?? fieldOf(why, Object.keys(this.#fields));
    const place = name === null || this.#fields[name].element.hidden ? null : this.#fields[name];
    this.#problem.replaceChildren(...(place ? [] : [text.sentence(why)]));
    setHidden(this.#problem, place !== null || why === "");
    if (!why) return;
    if (!place) {
      this.#problem.scrollIntoView({ block: "center" });
      return;
    }
    const folded = place.element.closest("details");
    if (folded) folded.open = true;
    place.complain(field === null ? text.sentence(shortOf(why, this.#labels)) : why);
    place.focus();
    place.element.scrollIntoView({ block: "nearest" });
  }

  /** What users see as the names of the fields. */
  get #labels() {
    const names = Object.entries(this.#fields).map(([name, { element }]) => [name, element.querySelector(".field-name")?.textContent ?? name]);
    return Object.fromEntries(names);
  }

  /** Say what an answer says, also if another page is shown by now. @param {{status: number, why: string}} answer */
  refuse({ status, why }) {
    if (!this.element.isConnected) {
      showNotice(text.notDone(why));
      return;
    }
    if (status !== 401) {
      this.complain(why);
      return;
    }
    this.complain("");
    this.#problem.replaceChildren(text.loggedOut, " ", loginLink(text.logIn));
    setHidden(this.#problem, false);
  }

  /** @param {string | null} words what it does now, null: nothing */
  work(words) {
    this.#busy = words !== null;
    this.#submit.setAttribute("aria-disabled", String(this.#busy));
    setText(this.#submit, words ?? this.#words.submit);
  }
}
