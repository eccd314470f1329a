/** Two results side by side. */

import { differencesOf, figuresOf, linesOf } from "../comparison.js";
import { make, setHidden } from "../dom.js";
import { metricsOf } from "../metrics.js";
import { Chart } from "../parts/chart.js";
import { choice, Field, offer } from "../parts/field.js";
import { head, section } from "../parts/screen.js";
import { all, get } from "../requests.js";
import { idIn, routeTo } from "../route.js";
import { text as lists } from "../text/lists.js";
import { text } from "../text/result.js";
import { plainTable } from "./metrics.js";

/** @typedef {import("../types.js").Deployment} Deployment */
/** @typedef {import("../types.js").Result} Result */

/** @type {import("../parts/screen.js").Opens} */
export function openCompare({ rest }, app) {
  const words = text.compare;
  const selects = [choice([["", words.choose]]), choice([["", words.choose]])];
  const wanted = [idIn(rest[0]), idIn(rest[1])];
  const curves = make("div", "charts");
  const charts = section(text.result.curves, curves);
  const figures = section(words.metrics);
  const settings = section(words.settings);
  const lead = make("p", "soft", words.lead);
  const choose = make("div", "choose");
  const element = make("div", "page");
  /** @type {Map<string, Chart>} */
  const drawn = new Map();
  let shownTables = "";
  const fields = [new Field("first", words.first, selects[0]), new Field("second", words.second, selects[1])];
  choose.append(...fields.map((field) => field.element));
  element.append(head(words.name), choose, lead, charts, figures, settings);
  for (const each of [charts, figures, settings]) each.hidden = true;
  for (const select of selects) {
    select.addEventListener("change", () => {
      // The page stays as it is, and so does the focus.
      history.replaceState(null, "", routeTo(["compare", ...selects.map(({ value }) => value || "0")]));
      app.refresh();
    });
  }

  /** @param {[Result, Result]} both */
  function showCurves(both) {
    const names = new Set(both.flatMap((each) => metricsOf(each).map(({ name }) => name)));
    const curvesOf = [...names].map((name) => /** @type {const} */ ([name, linesOf(both, name)])).filter(([, lines]) => lines.length);
    for (const [name, chart] of drawn) {
      if (curvesOf.some(([each]) => each === name)) continue;
      chart.close();
      chart.element.remove();
      drawn.delete(name);
    }
    for (const [name, lines] of curvesOf) {
      const chart = drawn.get(name) ?? new Chart(name);
      if (!drawn.has(name)) curves.append(chart.element);
      drawn.set(name, chart);
      chart.draw(lines);
    }
    setHidden(charts, drawn.size === 0);
  }

  let isFirst = true;
  return {
    title: words.name,
    element,
    load: () => all({ results: get("results/"), deployments: get("deployments/") }),
    show: (/** @type {{results: Result[], deployments: Deployment[]}} */ { results, deployments }) => {
      for (const select of selects) {
        offer(select, [["", words.choose], ...results.map((each) => /** @type {[string, string]} */ ([String(each.id), lists.results.title(each)]))]);
      }
      if (isFirst) selects.forEach((select, at) => (select.value = results.some(({ id }) => id === wanted[at]) ? String(wanted[at]) : ""));
      isFirst = false;
      const [first, second] = selects.map(({ value }) => results.find(({ id }) => String(id) === value));
      setHidden(lead, Boolean(first && second));
      for (const each of [charts, figures, settings]) setHidden(each, !first || !second);
      if (!first || !second) return;
      showCurves([first, second]);
      const rows = { figures: figuresOf([first, second]), settings: differencesOf([first, second], deployments) };
      const key = JSON.stringify(rows);
      if (key === shownTables) return;
      shownTables = key;
      const columns = ["", lists.results.title(first), lists.results.title(second)];
      put(figures, plainTable(words.metrics, columns, rows.figures));
      put(settings, rows.settings.length ? plainTable(words.settings, columns, rows.settings) : make("p", "soft", words.same));
    },
    close: () => drawn.forEach((chart) => chart.close()),
  };
}

/** @param {HTMLElement} section @param {HTMLElement} content in place of what it has below its heading */
const put = (section, content) => section.replaceChildren(/** @type {Element} */ (section.firstElementChild), content);
