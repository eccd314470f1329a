/** The first page: the example, what runs, and the way to a trained model. */

import { make, setHidden, setText } from "../dom.js";
import { head } from "../parts/screen.js";
import { Table } from "../parts/table.js";
import { isActive } from "../progress.js";
import { all, get } from "../requests.js";
import { routeTo } from "../route.js";
import { text } from "../text/lists.js";
import { exampleButton } from "./example.js";
import { columns } from "./results.js";

/** @typedef {import("../types.js").Result} Result */

const LISTS = ["models", "configurations", "deployments", "datasources", "results", "inferences"];

/** @type {import("../parts/screen.js").Opens} */
export function openStart(_, app) {
  const words = text.start;
  const element = make("div", "page");
  const welcome = make("section", "card welcome");
  const running = new Table(words.running, columns());
  const runningTitle = make("h3", "card-title", words.running);
  /** @type {Map<string, HTMLElement>} */
  const counts = new Map();
  welcome.append(make("p", "lead", words.lead), make("p", "changes", words.exampleLead), exampleButton(app));
  element.append(head(words.heading), welcome, runningTitle, running.element, make("h3", "card-title", words.steps), wayOf(counts));
  return {
    title: words.name,
    element,
    load: () => all(Object.fromEntries(LISTS.map((name) => [name, get(`${name}/`)]))),
    show: (lists) => {
      for (const [name, count] of counts) setText(count, lists[name] ? words.count(lists[name].length) : "");
      const active = lists.results.filter((/** @type {Result} */ { state }) => isActive(state));
      running.show(active);
      setHidden(runningTitle, active.length === 0);
    },
    every: () => 5000,
  };
}

/** @param {Map<string, HTMLElement>} counts by the name of the list */
function wayOf(counts) {
  const list = make("ol", "way");
  for (const [route, name, what] of text.start.way) {
    const item = make("li", "way-step");
    const link = make("a", "way-link", name);
    const count = make("span", "way-count");
    link.href = routeTo([route]);
    counts.set(route, count);
    item.append(link, count, make("p", "soft", what));
    list.append(item);
  }
  return list;
}
