/** A table whose rows stay the same elements while their words change. */

import { make, setData, setHidden, setOrder, setText } from "../dom.js";

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
  #body = part("tbody", "rowgroup");
  #filter = "";
  #columns;

  /** @param {HTMLElement} table @param {[string, string?][]} columns their headings, with units */
  constructor(table, columns) {
    this.#columns = columns.map(([words]) => words);
    const head = part("tr", "row");
    head.append(
      ...columns.map((words) => {
        const cell = part("th", "columnheader", "", words.join(" "));
        cell.scope = "col";
        return cell;
      }),
    );
    const group = part("thead", "rowgroup");
    group.append(head);
    table.setAttribute("role", "table");
    table.replaceChildren(group, this.#body);
  }

  /** @param {Row[]} rows in their order */
  show(rows) {
    const before = this.#rows;
    this.#rows = new Map(rows.map((row) => [row.key, before.get(row.key) ?? created(row, this.#columns)]));
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

  /** How many rows are shown. */
  get shown() {
    return [...this.#rows.values()].filter(({ row }) => !row.hidden).length;
  }
}

/**
 * A part of a table, with the role that it would lose on a phone, where it is not shown as a table.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {string} role
 * @param {string} [name] its CSS class
 * @param {string} [content] its text
 */
function part(tag, role, name, content) {
  const element = make(tag, name, content);
  element.setAttribute("role", role);
  return element;
}

/** @param {Row} row @param {string[]} columns @returns {Cells} */
function created({ kind, figures }, columns) {
  const row = part("tr", "row", kind);
  const name = part("th", "rowheader", "figures-name");
  name.scope = "row";
  const state = part("td", "cell", "figures-state");
  const cells = figures.map((_, at) => {
    const cell = part("td", "cell", "figures-number");
    setData(cell, "column", columns[at + 2]);
    return cell;
  });
  const dropped = part("td", "cell", "figures-dropped");
  setData(dropped, "column", columns[columns.length - 2]);
  const note = part("td", "cell", "figures-note");
  name.dir = note.dir = "auto"; // texts that users or cameras chose
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
