/** The list of models. */

import { make, setHidden } from "../dom.js";
import { ask } from "../parts/confirm.js";
import { empty } from "../parts/empty.js";
import { head, link } from "../parts/screen.js";
import { Table } from "../parts/table.js";
import { get, remove } from "../requests.js";
import { routeTo } from "../route.js";
import { text as common } from "../text/common.js";
import { text } from "../text/lists.js";

/** @typedef {import("../types.js").Model} Model */

/** @type {import("../parts/screen.js").Opens} */
export function openModels(_, app) {
  const words = text.models;
  const [name, framework, description, changed] = words.columns;
  const add = routeTo(["models", "new"]);
  const none = empty(words.empty, add, true);
  /** @type {Table<Model>} */
  const table = new Table(
    words.name,
    [
      { name, words: (row) => row.name, href: ({ id }) => routeTo(["models", id]) },
      { name: framework, words: (row) => common.framework(row.framework), number: true },
      { name: description, words: (row) => row.description },
      { name: changed, words: (row) => common.time(row.updated_at), number: true },
    ],
    ({ id }) => [
      { words: common.edit, href: routeTo(["models", id]), changes: true },
      { words: common.remove, danger: true, run: (row) => removeModel(row, app) },
    ],
  );
  const element = make("div", "page");
  none.hidden = true;
  element.append(head(words.name, link(words.add, add, "main changes")), table.element, none);
  return {
    title: words.name,
    element,
    load: () => get("models/"),
    show: (/** @type {Model[]} */ models) => {
      table.show(models);
      setHidden(none, models.length > 0);
    },
  };
}

/** @param {Model} model @param {import("../parts/screen.js").App} app */
function removeModel({ id, name }, app) {
  ask({
    title: text.models.removeTitle(name),
    lead: text.models.removeLead,
    act: common.remove,
    run: () => remove(`models/${id}`),
    done: app.refresh,
  });
}
