/** The list of datasources: what sinks have sent. */

import { make, setHidden } from "../dom.js";
import { showNotice } from "../notice.js";
import { ask } from "../parts/confirm.js";
import { empty } from "../parts/empty.js";
import { choice, Field } from "../parts/field.js";
import { head } from "../parts/screen.js";
import { Table } from "../parts/table.js";
import { all, get, post } from "../requests.js";
import { waitsForData } from "../progress.js";
import { idIn, routeTo } from "../route.js";
import { formatOf, nameOf, placesOf } from "../streams.js";
import { text as common } from "../text/common.js";
import { text } from "../text/lists.js";
import { number } from "../text/numbers.js";

/** @typedef {import("../types.js").Datasource} Datasource */
/** @typedef {import("../types.js").Deployment} Deployment */

/** @type {import("../parts/screen.js").Opens} */
export function openDatasources({ query }, app) {
  const words = text.datasources;
  const wanted = idIn(query.get("deployment"));
  const [name, deployment, format, messages, rates, sent] = words.columns;
  const none = empty(words.empty, "#/", true);
  /** @type {Deployment[]} */
  let deployments = [];
  /** @type {Table<Datasource>} */
  const table = new Table(
    words.name,
    [
      {
        name,
        words: (row) => nameOf(row),
        href: (row) => (deployments.some(({ id }) => String(id) === row.deployment) ? routeTo(["results"], { deployment: row.deployment }) : ""),
        note: (row) => placesOf(row.topic).join(", "),
      },
      { name: deployment, words: (row) => row.deployment, number: true },
      { name: format, words: (row) => row.input_format, note: (row) => formatOf(row) },
      { name: messages, words: ({ total_msg }) => (total_msg === null ? common.none : number(total_msg)), number: true },
      { name: rates, words: (row) => words.rates(row.validation_rate, row.test_rate), number: true },
      { name: sent, words: (row) => common.time(row.time), number: true },
    ],
    ({ id }) => [
      { words: words.again, run: sendAgain },
      { words: words.train, href: routeTo(["deployments", "new"], { datasource: id }), changes: true },
    ],
  );

  /** @param {Datasource} row */
  function sendAgain(row) {
    const newest = deployments.filter(({ results }) => results.some(({ state }) => waitsForData(state))).reverse();
    const select = choice(newest.map((each) => [String(each.id), `${text.deployments.title(each.id)}: ${each.configuration.name}`]));
    const field = new Field("again", words.againTo, select);
    if (newest.some(({ id }) => id === wanted)) select.value = String(wanted);
    ask({
      title: words.againTitle,
      lead: newest.length ? words.againLead : words.againNone,
      act: newest.length ? words.again : null,
      danger: false,
      more: newest.length ? [field.element] : [],
      run: () => post("datasources/kafka", { ...row, deployment: select.value }),
      done: () => {
        showNotice(words.sent(select.value));
        if (wanted === null) app.refresh();
        else app.go(routeTo(["results"], { deployment: select.value }));
      },
    });
  }

  const element = make("div", "page");
  none.hidden = true;
  element.append(head(words.name), table.element, none);
  return {
    title: words.name,
    element,
    load: () => all({ rows: get("datasources/"), deployments: get("deployments/") }),
    show: (/** @type {{rows: Datasource[], deployments: Deployment[]}} */ found) => {
      deployments = found.deployments;
      table.show(found.rows);
      setHidden(none, found.rows.length > 0);
    },
    every: () => 3000,
  };
}
