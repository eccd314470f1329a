/** A table whose rows stay the same elements while their words change: what has the focus keeps it. */

import { make, setData, setHidden, setOrder, setText } from "../dom.js";
import { toneOf } from "../progress.js";
import { text } from "../text/common.js";
import { removeRow, replaceActs } from "./focus.js";

/**
 * What can be done with a row: a link or a button. One that `changes` something is hidden from users who may not.
 * @template Row
 * @typedef {{words: string, href?: string, run?: (row: Row) => void, danger?: boolean, changes?: boolean}} Action
 */

/**
 * @template Row
 * @typedef {object} Column
 * @property {string} name its heading
 * @property {(row: Row) => string} words
 * @property {(row: Row) => string} [href] the first column's link; empty if it leads nowhere
 * @property {(row: Row) => string} [note] below the words
 * @property {(row: Row) => string} [state] whose colour is shown
 * @property {(row: Row) => number | null} [share] of a bar, 0 to 1; null: no bar
 * @property {boolean} [number] whether it is short
 */

/** @typedef {{words: HTMLElement, note: HTMLElement, bar: HTMLProgressElement, cell: HTMLElement}} Cell */
/**
 * @template Row
 * @typedef {{row: HTMLTableRowElement, cells: Cell[], actions: HTMLElement, now: Row}} Shown
 */

/** @template {{id: number}} Row */
export class Table {
  element = make("div", "scroll");
  /** @type {Map<number, Shown<Row>>} */
  #rows = new Map();
  #body = part("tbody", "rowgroup");
  #columns;
  #actions;

  /**
   * @param {string} name for screen readers
   * @param {Column<Row>[]} columns
   * @param {(row: Row) => Action<Row>[]} [actions]
   */
  constructor(name, columns, actions) {
    this.#columns = columns;
    this.#actions = actions;
    const table = make("table", "figures");
    const head = part("tr", "row");
    const headings = [...columns.map((column) => column.name), ...(actions ? [text.actions] : [])];
    head.append(
      ...headings.map((words) => {
        const cell = part("th", "columnheader", "", words);
        cell.scope = "col";
        if (words === text.actions) cell.classList.add("figures-acts");
        return cell;
      }),
    );
    const group = part("thead", "rowgroup");
    group.append(head);
    table.setAttribute("role", "table");
    table.setAttribute("aria-label", name);
    table.append(group, this.#body);
    this.element.append(table);
    setHidden(this.element, true);
  }

  /** @param {Row[]} rows in their order */
  show(rows) {
    const before = this.#rows;
    this.#rows = new Map(rows.map((row) => [row.id, before.get(row.id) ?? this.#created(row)]));
    for (const row of rows) this.#fill(/** @type {Shown<Row>} */ (this.#rows.get(row.id)), row);
    for (const [id, { row }] of before) if (!this.#rows.has(id)) removeRow(row);
    setOrder(this.#body, [...this.#rows.values()].map(({ row }) => row));
    setHidden(this.element, rows.length === 0);
  }

  /** @param {Row} now @returns {Shown<Row>} */
  #created(now) {
    const row = part("tr", "row");
    const cells = this.#columns.map((column, at) => {
      const cell = at === 0 ? part("th", "rowheader", "figures-name") : part("td", "cell");
      if (cell instanceof HTMLTableCellElement && at === 0) cell.scope = "row";
      if (column.number) cell.classList.add("figures-number");
      if (column.state) cell.classList.add("figures-state");
      cell.dataset.column = column.name;
      const words = at === 0 ? make("a", "figures-link") : make("span", "figures-words");
      const note = make("span", "figures-note");
      const bar = make("progress", "figures-bar");
      words.dir = note.dir = "auto"; // users chose some of these texts
      bar.setAttribute("aria-label", column.name);
      cell.append(words, bar, note);
      return { words, note, bar, cell };
    });
    const actions = part("td", "cell", "figures-actions");
    row.append(...cells.map(({ cell }) => cell), ...(this.#actions ? [actions] : []));
    return { row, cells, actions, now };
  }

  /** @param {Shown<Row>} shown @param {Row} row */
  #fill(shown, row) {
    shown.now = row;
    setData(shown.row, "id", String(row.id));
    this.#columns.forEach(({ words, href, note, state, share }, at) => {
      const cell = shown.cells[at];
      setText(cell.words, words(row));
      if (cell.words instanceof HTMLAnchorElement) setLink(cell.words, href?.(row) ?? "");
      setText(cell.note, note?.(row) ?? "");
      setHidden(cell.note, !note?.(row));
      if (state) setData(cell.cell, "state", toneOf(/** @type {any} */ (state(row))));
      const done = share?.(row) ?? null;
      setHidden(cell.bar, done === null);
      if (done !== null) cell.bar.value = done;
      cell.cell.toggleAttribute("data-empty", cell.words.textContent === "" && !note?.(row));
    });
    const actions = this.#actions?.(row) ?? [];
    const key = JSON.stringify([shown.cells[0].words.textContent, ...actions.map(({ words, href }) => [words, href])]);
    if (shown.actions.dataset.key === key) return;
    shown.actions.dataset.key = key;
    replaceActs(
      shown.actions,
      actions.map((action) => this.#action(shown, action)),
    );
  }

  /** @param {Shown<Row>} shown @param {Action<Row>} action */
  #action(shown, { words, href, danger, changes = !href }) {
    const name = `${words}: ${shown.cells[0].words.textContent}`;
    const kind = ["path", ...(danger ? ["warn"] : []), ...(changes ? ["changes"] : [])].join(" ");
    if (href) {
      const link = make("a", kind, words);
      link.href = href;
      link.setAttribute("aria-label", name);
      return link;
    }
    const button = make("button", kind, words);
    button.type = "button";
    button.setAttribute("aria-label", name);
    button.addEventListener("click", () => {
      const now = this.#actions?.(shown.now).find((each) => each.words === words);
      now?.run?.(shown.now);
    });
    return button;
  }
}

/** @param {HTMLAnchorElement} link @param {string} href */
function setLink(link, href) {
  if (!href) link.removeAttribute("href");
  else if (link.getAttribute("href") !== href) link.href = href;
}

/**
 * A part of a table, with the role that it would lose on a phone, where it is not shown as a table.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {string} role
 * @param {string} [name] its CSS class
 * @param {string} [content] its text
 */
export function part(tag, role, name, content) {
  const element = make(tag, name, content);
  element.setAttribute("role", role);
  return element;
}
