/** The list of results. */

import { make, setHidden } from "../dom.js";
import { empty } from "../parts/empty.js";
import { head, link } from "../parts/screen.js";
import { Table } from "../parts/table.js";
import { lastOf, metricsOf } from "../metrics.js";
import { isActive, shareOf } from "../progress.js";
import { get } from "../requests.js";
import { idIn, routeTo } from "../route.js";
import { text as common } from "../text/common.js";
import { text } from "../text/lists.js";
import { metric } from "../text/numbers.js";
import { actionsOf } from "./acts.js";
import { sendingTo } from "./sending.js";

/** @typedef {import("../types.js").Result} Result */
/** @typedef {import("../metrics.js").Metric} Metric */

/** @returns {import("../parts/table.js").Column<Result>[]} */
export function columns() {
  const [name, state, training, validation, test, changed] = text.results.columns;
  return [
    { name, words: text.results.title, href: ({ id }) => routeTo(["results", id]) },
    {
      name: state,
      words: (row) => common.state(row.state),
      note: (row) => [common.progress(row), common.sentence(row.reason ?? "")].filter(Boolean).join(". "),
      state: (row) => row.state,
      share: shareOf,
    },
    { name: training, words: (row) => lastOfAll(row, ({ training }) => lastOf(training)), number: true },
    { name: validation, words: (row) => lastOfAll(row, ({ validation }) => lastOf(validation)), number: true },
    { name: test, words: (row) => lastOfAll(row, ({ test }) => test), number: true },
    { name: changed, words: (row) => common.time(row.status_changed), number: true },
  ];
}

/** @type {import("../parts/screen.js").Opens} */
export function openResults({ query }, app) {
  const words = text.results;
  const deployment = idIn(query.get("deployment"));
  const title = deployment === null ? words.name : words.nameOf(deployment);
  const none = empty(words.empty, routeTo(["deployments", "new"]), true);
  const table = new Table(words.name, columns(), (row) => actionsOf(row, app));
  const sending = deployment === null ? null : sendingTo(deployment);
  const compare = link(words.compare, routeTo(["compare"]));
  const element = make("div", "page");
  none.hidden = true;
  element.append(head(title, compare), ...(sending ? [sending.element] : []), table.element, none);
  let isBusy = true;
  return {
    title,
    element,
    load: () => get(deployment === null ? "results/" : `deployments/results/${deployment}`),
    show: (/** @type {Result[]} */ rows) => {
      table.show(rows);
      isBusy = rows.some(({ state }) => isActive(state));
      void sending?.show(rows.some(({ state }) => state === "waiting"));
      setHidden(none, rows.length > 0);
      setHidden(compare, rows.length < 2);
    },
    every: () => (isBusy ? 1500 : 4000),
  };
}

/** The first two metrics. @param {Result} result @param {(metric: Metric) => number | null} part */
function lastOfAll(result, part) {
  const known = metricsOf(result).filter((each) => part(each) !== null);
  return known
    .slice(0, 2)
    .map((each) => `${each.name} ${metric(part(each))}`)
    .join(", ");
}
