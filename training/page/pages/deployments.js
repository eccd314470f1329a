/** The list of deployments. */

import { make, setHidden, setText } from "../dom.js";
import { ask } from "../parts/confirm.js";
import { empty } from "../parts/empty.js";
import { head, link } from "../parts/screen.js";
import { Table } from "../parts/table.js";
import { isActive } from "../progress.js";
import { get, remove } from "../requests.js";
import { idIn, routeTo } from "../route.js";
import { text as common } from "../text/common.js";
import { text } from "../text/lists.js";

/** @typedef {import("../types.js").Deployment} Deployment */

/** @type {import("../parts/screen.js").Opens} */
export function openDeployments({ query }, app) {
  const words = text.deployments;
  const configuration = idIn(query.get("configuration"));
  /** @type {Record<string, number>} */
  const only = configuration === null ? {} : { configuration };
  const [name, of, results, given, started] = words.columns;
  const add = routeTo(["deployments", "new"], only);
  const none = empty(words.empty, add, true);
  /** @type {Table<Deployment>} */
  const table = new Table(
    words.name,
    [
      { name, words: ({ id }) => words.title(id), href: ({ id }) => routeTo(["results"], { deployment: id }) },
      { name: of, words: (row) => row.configuration.name },
      { name: results, words: statesOf, state: worstOf },
      { name: given, words: givenOf },
      { name: started, words: (row) => common.time(row.time), number: true },
    ],
    ({ id, results }) => [
      { words: words.results, href: routeTo(["results"], { deployment: id }) },
      ...(results.some(({ state }) => state === "waiting" || state === "queued")
        ? [{ words: text.datasources.name, href: routeTo(["datasources"], { deployment: id }) }]
        : []),
      {
        words: common.remove,
        danger: true,
        run: (row) =>
          ask({
            title: words.removeTitle(row.id),
            lead: words.removeLead,
            act: common.remove,
            run: () => remove(`deployments/${row.id}`),
            done: app.refresh,
          }),
      },
    ],
  );
  const title = head(words.name, link(words.bring, routeTo(["import"]), "changes"), link(words.add, add, "main changes"));
  const element = make("div", "page");
  none.hidden = true;
  element.append(title, table.element, none);
  return {
    title: words.name,
    element,
    load: () => get(configuration === null ? "deployments/" : `deployments/${configuration}`),
    show: (/** @type {Deployment[]} */ rows) => {
      if (configuration !== null && rows.length) {
        setText(/** @type {HTMLElement} */ (title.querySelector("h2")), words.nameOf(rows[0].configuration.name));
      }
      table.show([...rows].reverse());
      setHidden(none, rows.length > 0);
    },
    every: () => 3000,
  };
}

/** @param {Deployment} deployment */
const statesOf = ({ results }) => results.map(({ model, state }) => `${model.name}: ${common.state(state).toLowerCase()}`).join(", ");

/** The state that its colour shows: of what runs, or else of what has gone wrong. @param {Deployment} deployment */
function worstOf({ results }) {
  const states = results.map(({ state }) => state);
  return states.find(isActive) ?? states.find((state) => state === "failed") ?? states[0] ?? "stopped";
}

/** @param {Deployment} deployment */
const givenOf = ({ batch, tf_kwargs_fit, pth_kwargs_fit }) =>
  [`batch=${batch}`, tf_kwargs_fit, pth_kwargs_fit].filter(Boolean).join(", ");
