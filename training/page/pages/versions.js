/** The versions of a result's model, for TensorFlow Serving. */

import { make, setHidden } from "../dom.js";
import { ask } from "../parts/confirm.js";
import { section } from "../parts/screen.js";
import { Table } from "../parts/table.js";
import { post, remove } from "../requests.js";
import { routeTo } from "../route.js";
import { text as common } from "../text/common.js";
import { text } from "../text/result.js";

/** @typedef {import("../types.js").ModelVersions} ModelVersions */
/** @typedef {import("../types.js").Version} Version */
/** @typedef {Version & {id: number}} Row */

/** Whose colours are those of results. @type {Record<Version["state"], string>} */
const STATES = { candidate: "waiting", served: "finished", old: "stopped" };

export class Versions {
  /** @type {Table<Row>} */
  #table;
  #model = "";
  #app;
  element;

  /** @param {number} id the result's @param {import("../parts/screen.js").App} app */
  constructor(id, app) {
    const words = text.result;
    const [name, state, result, created, promoted] = words.versionColumns;
    this.#app = app;
    this.#table = new Table(
      words.versions,
      [
        { name, words: (row) => words.version(row.version), href: (row) => (row.result ? routeTo(["results", row.result]) : location.hash), note: (row) => (row.result === id ? words.ownVersion : "") },
        { name: state, words: (row) => words.versionStates[row.state], state: (row) => STATES[row.state] },
        { name: result, words: (row) => String(row.result ?? common.none), number: true },
        { name: created, words: (row) => (row.created ? common.time(row.created) : common.none), number: true },
        { name: promoted, words: (row) => (row.promoted ? common.time(row.promoted) : ""), number: true },
      ],
      ({ state }) =>
        state === "served"
          ? []
          : [
              { words: words.promote, run: (row) => this.#promote(row) },
              { words: common.remove, danger: true, run: (row) => this.#remove(row) },
            ],
    );
    this.element = section(words.versions, make("p", "soft", words.versionsLead), this.#table.element);
    this.element.hidden = true;
  }

  /** @param {string} model @param {ModelVersions[]} all */
  show(model, all) {
    this.#model = model;
    const versions = all.find((each) => each.model === model)?.versions ?? [];
    setHidden(this.element, versions.length === 0);
    this.#table.show(versions.map((each) => ({ ...each, id: each.version })));
  }

  /** @param {Row} row */
  #promote({ version }) {
    ask({
      title: text.result.promoteTitle(version, this.#model),
      lead: text.result.promoteLead,
      act: text.result.promote,
      danger: false,
      run: () => post(`${this.#pathOf(version)}/promote`),
      done: this.#app.refresh,
    });
  }

  /** @param {Row} row */
  #remove({ version }) {
    ask({
      title: text.result.removeTitle(version, this.#model),
      lead: text.result.removeLead,
      act: common.remove,
      run: () => remove(this.#pathOf(version)),
      done: this.#app.refresh,
    });
  }

  /** @param {number} version */
  #pathOf(version) {
    return `versions/${encodeURIComponent(this.#model)}/${version}`;
  }
}
