/** The form of a camera: its fields, and where errors about them are shown. */

import { make, makeForeign, setHidden } from "../dom.js";
import { Field, textInput } from "./field.js";
import { fieldOf, valuesOf } from "./fields.js";
import { Models } from "./models.js";
import { text } from "./text.js";

/** @typedef {import("./fields.js").Config} Config */
/** @typedef {import("./fields.js").Values} Values */

/** What the page knows about all cameras. @typedef {{groups: string[], models: string[]}} Known */

export class Form {
  element = make("div", "fields");
  #name = textInput({ required: "", maxlength: "200" });
  #link = textInput({ inputmode: "url" });
  #show = make("button", "path", text.show);
  #groups = make("datalist");
  #more = make("details", "more");
  #models = new Models();
  #problem = makeForeign("p", "problem");
  #fields;

  /** @param {(link: string) => void} typed called when the link changes */
  constructor(typed) {
    this.#groups.id = "field-groups";
    const rotate = make("select");
    rotate.append(...["0", "90", "180", "270"].map((each) => new Option(text.degrees(each), each)));
    this.#fields = {
      name: new Field("name", text.name, this.#name, text.nameHint),
      link: new Field("link", text.link, this.#link, text.linkHint),
      group: new Field("group", text.group, textInput({ list: this.#groups.id, maxlength: "100" }), text.groupHint),
      models: this.#models,
      interval: new Field("interval", text.interval, textInput(), text.intervalHint),
      scale: new Field("scale", text.scale, textInput(), text.scaleHint),
      rotate: new Field("rotate", text.rotate, rotate),
      weight: new Field("weight", text.weight, textInput({ inputmode: "decimal" }), text.weightHint),
      deadline: new Field("deadline", text.deadline, textInput(), text.deadlineHint),
    };
    this.#problem.setAttribute("role", "alert");
    this.#link.addEventListener("input", () => typed(this.#link.value.trim()));
    this.#setUpMask();
    const { name, link, group, models, ...more } = this.#fields;
    this.#more.append(make("summary", "more-name", text.more), ...Object.values(more).map(({ element }) => element));
    const first = [name, link, group, models].map(({ element }) => element);
    this.element.append(this.#problem, ...first, this.#groups, this.#more);
  }

  /**
   * Show a camera's record, or an empty form.
   * @param {string | null} camera
   * @param {Config} config
   * @param {Known} known
   */
  open(camera, config, known) {
    const { models, ...values } = valuesOf(camera ?? "", config);
    for (const [name, value] of Object.entries(values)) this.#fieldOf(name).value = value;
    this.#models.show(known.models, models);
    this.#groups.replaceChildren(...known.groups.map((group) => new Option(group, group)));
    setHidden(this.#fields.name.element, camera !== null);
    this.#fields.link.hint(config.link ? text.linkKept(config.link) : text.linkHint);
    this.#more.open = ["interval", "scale", "weight", "deadline"].some((name) => this.#fieldOf(name).value !== "");
    this.#mask(true);
    this.complain("");
  }

  /** @returns {Values} */
  get values() {
    const { models, ...fields } = this.#fields;
    const values = Object.entries(fields).map(([name, field]) => [name, field.value]);
    return { ...Object.fromEntries(values), models: models.value };
  }

  /** Put the focus where typing begins. @param {"name" | "link" | "group"} name */
  focus(name) {
    this.#fields[name].focus();
  }

  /**
   * Show what is wrong at the field that it is about, or above all fields.
   * @param {string} why empty if nothing is
   * @param {HTMLElement[]} [more] what helps
   */
  complain(why, more = []) {
    for (const field of Object.values(this.#fields)) field.complain("");
    const name = more.length ? null : fieldOf(why);
    const place = name !== null && !this.#fields[name].element.hidden ? this.#fields[name] : null;
    this.#problem.replaceChildren(...(place ? [] : [why, ...more]));
    setHidden(this.#problem, place !== null || why === "");
    if (!place) return;
    if (this.#more.contains(place.element)) this.#more.open = true;
    place.complain(why);
    place.focus();
  }

  /** Forget what was typed: a link may hold a password. */
  clear() {
    this.open(null, {}, { groups: [], models: [] });
  }

  #setUpMask() {
    this.#show.type = "button";
    this.#show.setAttribute("aria-label", text.showLink);
    this.#show.addEventListener("click", () => this.#mask(this.#link.dataset.masked !== "true"));
    const row = make("div", "field-row");
    this.#link.before(row);
    row.append(this.#link, this.#show);
  }

  /**
   * Hide the letters of the link, or show them. Browsers would offer to save what a password field holds.
   * @param {boolean} masked
   */
  #mask(masked) {
    this.#link.dataset.masked = String(masked);
    this.#show.setAttribute("aria-pressed", String(!masked));
  }

  /** @param {string} name */
  #fieldOf(name) {
    return /** @type {Record<string, Field>} */ (/** @type {unknown} */ (this.#fields))[name];
  }
}
