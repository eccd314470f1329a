/** The confusion matrix as a table. */

import { make, makeForeign } from "../dom.js";
import { sharesOf } from "../metrics.js";
import { text } from "../text/result.js";

const MOST = 30; // classes that a table can show
/** The share from which on black and white change places as the colour of numbers, by the page's colours. */
const STRONG = { light: 0.87, dark: 0.54 };

/**
 * @param {number[][]} matrix
 * @param {string[]} names of the classes; empty if they have none
 * @returns {HTMLElement}
 */
export function matrixOf(matrix, names = []) {
  const nameOf = (/** @type {number} */ label) => names[label] ?? String(label);
  if (matrix.length > MOST) return make("p", "soft", text.result.matrixLarge(matrix.length));
  const shares = sharesOf(matrix);
  const table = make("table", "matrix");
  const head = make("tr");
  head.append(make("td"), ...matrix.map((_, said) => header(nameOf(said), "col")));
  table.setAttribute("aria-label", text.result.matrix);
  table.toggleAttribute("data-named", names.length > 0);
  table.append(head);
  matrix.forEach((row, label) => {
    const line = make("tr");
    line.append(header(nameOf(label), "row"));
    row.forEach((count, said) => {
      const cell = make("td", "matrix-cell", count ? String(count) : "");
      const share = shares[label][said];
      cell.style.setProperty("--share", `${Math.round(100 * share)}%`);
      cell.toggleAttribute("data-strong-light", share >= STRONG.light);
      cell.toggleAttribute("data-strong-dark", share >= STRONG.dark);
      cell.title = text.result.matrixCell(nameOf(label), nameOf(said), count, share);
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

/** @param {string} name @param {string} scope */
function header(name, scope) {
  const cell = makeForeign("th", "", name);
  cell.scope = scope;
  return cell;
}
