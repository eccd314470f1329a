/** A table whose rows stay the same elements while their words change. */

import { make, makeForeign, setData, setHidden, setOrder, setText } from "../dom.js";

/** @typedef {import("./types.js").Row} Row */

/**
 * @typedef {object} Cells
 * @property {HTMLTableRowElement} row
 * @property {HTMLElement} name
 * @property {HTMLElement} state
 * @property {HTMLElement[]} figures
 * @property {HTMLElement} dropped
 * @property {HTMLElement} note
 */

export class Table {
  /** @type {Map<string, Cells>} */
  #rows = new Map();
  #body = make("tbody");
  #filter = "";

  /** @param {HTMLElement} table @param {string[]} columns their headings */
  constructor(table, columns) {
    const head = make("tr");
    head.append(
      ...columns.map((words) => {
        const cell = make("th", "", words);
        cell.scope = "col";
        return cell;
      }),
    );
    const group = make("thead");
    group.append(head);
    table.replaceChildren(group, this.#body);
  }

  /** @param {Row[]} rows in their order */
  show(rows) {
    const before = this.#rows;
    this.#rows = new Map(rows.map((row) => [row.key, before.get(row.key) ?? created(row)]));
    for (const row of rows) fill(/** @type {Cells} */ (this.#rows.get(row.key)), row);
    for (const [key, { row }] of before) if (!this.#rows.has(key)) row.remove();
    setOrder(this.#body, [...this.#rows.values()].map(({ row }) => row));
    this.filter(this.#filter);
  }

  /** Show only rows with this in their names. @param {string} words in any case */
  filter(words) {
    this.#filter = words.toLowerCase();
    for (const { row, name } of this.#rows.values()) {
      setHidden(row, !(name.textContent ?? "").toLowerCase().includes(this.#filter));
    }
  }
}

/** @param {Row} row @returns {Cells} */
function created({ kind, figures }) {
  const row = make("tr", kind);
  const name = makeForeign("th", "figures-name");
  name.scope = "row";
  const state = make("td", "figures-state");
  const cells = figures.map(() => make("td", "figures-number"));
  const dropped = make("td", "figures-dropped");
  const note = makeForeign("td", "figures-note");
  row.append(name, state, ...cells, dropped, note);
  return { row, name, state, figures: cells, dropped, note };
}

/** @param {Cells} cells @param {Row} row */
function fill(cells, { key, name, state, tone, figures, dropped, note }) {
  setData(cells.row, "key", key);
  setData(cells.row, "state", tone);
  setText(cells.name, name);
  setText(cells.state, state);
  figures.forEach((words, at) => setText(cells.figures[at], words));
  setText(cells.dropped, dropped);
  setText(cells.note, note);
}
