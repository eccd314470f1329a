/** The confusion matrix as a table. */

import { make } from "../dom.js";
import { sharesOf } from "../metrics.js";
import { text } from "../text/result.js";

const MOST = 30; // classes that a table can show

/** @param {number[][]} matrix @returns {HTMLElement} */
export function matrixOf(matrix) {
  if (matrix.length > MOST) return make("p", "soft", text.result.matrixLarge(matrix.length));
  const shares = sharesOf(matrix);
  const table = make("table", "matrix");
  const head = make("tr");
  head.append(make("td"), ...matrix.map((_, said) => header(said, "col")));
  table.setAttribute("aria-label", text.result.matrix);
  table.append(head);
  matrix.forEach((row, label) => {
    const line = make("tr");
    line.append(header(label, "row"));
    row.forEach((count, said) => {
      const cell = make("td", "matrix-cell", count ? String(count) : "");
      const share = shares[label][said];
      cell.style.setProperty("--share", `${Math.round(100 * share)}%`);
      cell.dataset.dark = String(share > 0.55);
      cell.title = text.result.matrixCell(label, said, count, share);
      line.append(cell);
    });
    table.append(line);
  });
  const around = make("div", "scroll matrix-scroll");
  around.tabIndex = 0;
  around.setAttribute("role", "region");
  around.setAttribute("aria-label", text.result.matrix);
  around.append(table);
  return around;
}

/** @param {number} label @param {string} scope */
function header(label, scope) {
  const cell = make("th", "", String(label));
  cell.scope = scope;
  return cell;
}
