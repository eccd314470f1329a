/** What can be done with a result. */

import { ask } from "../parts/confirm.js";
import { isActive } from "../progress.js";
import { post, remove } from "../requests.js";
import { routeTo } from "../route.js";
import { text as common } from "../text/common.js";
import { text } from "../text/lists.js";

/** @typedef {import("../types.js").Result} Result */
/** @typedef {import("../parts/screen.js").App} App */

/** @param {Result} result @param {App} app @returns {import("../parts/table.js").Action<Result>[]} */
export function actionsOf({ id, status, state }, app) {
  const stop = { words: common.stop, danger: true, run: (/** @type {Result} */ row) => stopResult(row, app) };
  const erase = { words: common.remove, danger: true, run: (/** @type {Result} */ row) => removeResult(row, app.refresh) };
  return [
    ...(status === "finished" ? [{ words: text.results.predict, href: routeTo(["predict", id]), changes: true }] : []),
    ...(isActive(state) ? [stop] : []),
    ...(status === "deployed" ? [] : [erase]), // the server would refuse it
  ];
}

/** @param {Result} result @param {App} app */
export function stopResult(result, app) {
  ask({
    title: text.results.stopTitle(text.results.title(result)),
    lead: text.results.stopLead,
    act: common.stop,
    run: () => post(`results/stop/${result.id}`),
    done: app.refresh,
  });
}

/** @param {Result} result @param {() => void} done */
export function removeResult(result, done) {
  ask({
    title: text.results.removeTitle(text.results.title(result)),
    lead: text.results.removeLead,
    act: common.remove,
    run: () => remove(`results/${result.id}`),
    done,
  });
}
