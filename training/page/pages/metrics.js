/** The metrics of a result as a table. */

import { make } from "../dom.js";
import { bestOf, lastOf } from "../metrics.js";
import { metric as shown } from "../text/numbers.js";
import { text } from "../text/result.js";

/** @param {import("../metrics.js").Metric[]} metrics */
export function metricTable(metrics) {
  return plainTable(
    text.result.metrics,
    text.result.metricColumns,
    metrics.map(({ name, training, validation, test }) => [
      name,
      shown(lastOf(training)),
      shown(bestOf(name, training)),
      shown(lastOf(validation)),
      shown(bestOf(name, validation)),
      shown(test),
    ]),
  );
}

/**
 * A table whose rows begin with their names. It can be scrolled on a phone.
 * @param {string} name
 * @param {string[]} columns
 * @param {string[][]} rows
 */
export function plainTable(name, columns, rows) {
  const table = make("table", "plain");
  const head = make("tr");
  for (const words of columns) {
    const cell = words ? make("th", "", words) : make("td");
    if (cell instanceof HTMLTableCellElement && words) cell.scope = "col";
    head.append(cell);
  }
  table.setAttribute("aria-label", name);
  table.append(head);
  for (const [first, ...others] of rows) {
    const row = make("tr");
    const cell = make("th", "", first);
    cell.scope = "row";
    cell.dir = "auto";
    row.append(cell, ...others.map((words) => make("td", "", words)));
    table.append(row);
  }
  const around = make("div", "scroll");
  around.tabIndex = 0;
  around.setAttribute("role", "region");
  around.setAttribute("aria-label", name);
  around.append(table);
  return around;
}
