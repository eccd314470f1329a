/** The list of inferences. */

import { make, setHidden } from "../dom.js";
import { ask } from "../parts/confirm.js";
import { empty } from "../parts/empty.js";
import { head } from "../parts/screen.js";
import { Table } from "../parts/table.js";
import { get, post, remove } from "../requests.js";
import { routeTo } from "../route.js";
import { text as common } from "../text/common.js";
import { text } from "../text/lists.js";

/** @typedef {import("../types.js").Inference} Inference */

/** Whose colours are those of results. @type {Record<string, string>} */
const STATES = { starting: "training", ready: "finished", "not-ready": "waiting" };

/** @type {import("../parts/screen.js").Opens} */
export function openInferences(_, app) {
  const words = text.inferences;
  const [name, state, reads, writes, replicas, started] = words.columns;
  const none = empty(words.empty, routeTo(["results"]));
  /** @type {Table<Inference>} */
  const table = new Table(
    words.name,
    [
      {
        name,
        words: ({ id }) => words.title(id),
        href: watchOf,
        note: (row) => words.of(row.model_result),
      },
      {
        name: state,
        words: (row) => words.states[row.state] ?? row.state,
        note: (row) => [words.progress(row.progress), common.sentence(row.reason ?? "")].filter(Boolean).join(". "),
        state: ({ state, reason }) => STATES[state] ?? (reason ? "failed" : "stopped"),
      },
      { name: reads, words: (row) => row.input_topic },
      { name: writes, words: (row) => row.output_topic },
      { name: replicas, words: (row) => String(row.replicas), number: true },
      { name: started, words: (row) => common.time(row.time), number: true },
    ],
    (row) => [
      { words: words.watch, href: watchOf(row) },
      row.status === "deployed"
        ? { words: common.stop, danger: true, run: stop }
        : { words: common.remove, danger: true, run: erase },
    ],
  );

  /** @param {Inference} row */
  function stop({ id }) {
    ask({
      title: words.stopTitle(id),
      lead: words.stopLead,
      act: common.stop,
      run: () => post(`inferences/${id}`),
      done: app.refresh,
    });
  }

  /** @param {Inference} row */
  function erase({ id }) {
    ask({
      title: words.removeTitle(id),
      lead: words.removeLead,
      act: common.remove,
      run: () => remove(`inferences/${id}`),
      done: app.refresh,
    });
  }

  const element = make("div", "page");
  none.hidden = true;
  element.append(head(words.name), table.element, none);
  return {
    title: words.name,
    element,
    load: () => get("inferences/"),
    show: (/** @type {Inference[]} */ rows) => {
      table.show([...rows].reverse());
      setHidden(none, rows.length > 0);
    },
    every: () => 2000,
  };
}

/** @param {Inference} row */
export const watchOf = ({ output_topic }) => routeTo(["visualisation"], { topic: output_topic });
