/** The list of configurations. */

import { make, setHidden } from "../dom.js";
import { ask } from "../parts/confirm.js";
import { empty } from "../parts/empty.js";
import { head, link } from "../parts/screen.js";
import { Table } from "../parts/table.js";
import { get, remove } from "../requests.js";
import { routeTo } from "../route.js";
import { text as common } from "../text/common.js";
import { text } from "../text/lists.js";

/** @typedef {import("../types.js").Configuration} Configuration */

/** @type {import("../parts/screen.js").Opens} */
export function openConfigurations(_, app) {
  const words = text.configurations;
  const [name, models, description, deployments] = words.columns;
  const add = routeTo(["configurations", "new"]);
  const none = empty(words.empty, add, true);
  /** @type {Table<Configuration>} */
  const table = new Table(
    words.name,
    [
      { name, words: (row) => row.name, href: ({ id }) => routeTo(["configurations", id]) },
      { name: models, words: ({ ml_models }) => ml_models.map((each) => each.name).join(", ") },
      { name: description, words: (row) => row.description },
      { name: deployments, words: (row) => words.deployments(row.deployments.length), number: true },
    ],
    ({ id, deployments }) => [
      { words: words.train, href: routeTo(["deployments", "new"], { configuration: id }), changes: true },
      ...(deployments.length
        ? [{ words: words.columns[3], href: routeTo(["deployments"], { configuration: id }) }]
        : []),
      { words: common.edit, href: routeTo(["configurations", id]), changes: true },
      {
        words: common.remove,
        danger: true,
        run: (row) =>
          ask({
            title: words.removeTitle(row.name),
            lead: words.removeLead,
            act: common.remove,
            run: () => remove(`configurations/${row.id}`),
            done: app.refresh,
          }),
      },
    ],
  );
  const element = make("div", "page");
  none.hidden = true;
  element.append(head(words.name, link(words.add, add, "main changes")), table.element, none);
  return {
    title: words.name,
    element,
    load: () => get("configurations/"),
    show: (/** @type {Configuration[]} */ rows) => {
      table.show(rows);
      setHidden(none, rows.length > 0);
    },
  };
}
