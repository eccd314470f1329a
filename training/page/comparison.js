/** Two results side by side: their curves, their figures, and how their settings differ. */

import { lastOf, metricsOf } from "./metrics.js";
import { text as common } from "./text/common.js";
import { text as lists } from "./text/lists.js";
import { duration, metric as shown } from "./text/numbers.js";
import { text } from "./text/result.js";

/** @typedef {import("./types.js").Deployment} Deployment */
/** @typedef {import("./types.js").Result} Result */
/** @typedef {import("./metrics.js").Line} Line */

/** @param {[Result, Result]} both @param {string} name of a metric @returns {Line[]} */
export function linesOf(both, name) {
  return both.flatMap((result, at) => {
    const found = metricsOf(result).find((each) => each.name === name);
    const tone = at === 0 ? /** @type {const} */ ("first") : /** @type {const} */ ("second");
    const title = lists.results.title(result);
    return [
      ...(found?.training.length ? [{ name: text.compare.metricOf(title, text.compare.training), values: found.training, tone, dashed: false }] : []),
      ...(found?.validation.length ? [{ name: text.compare.metricOf(title, text.compare.validation), values: found.validation, tone, dashed: true }] : []),
    ];
  });
}

/** @param {[Result, Result]} both */
export function figuresOf(both) {
  const words = text.compare;
  const names = [...new Set(both.flatMap((each) => metricsOf(each).map(({ name }) => name)))];
  const parts = /** @type {const} */ (["training", "validation", "test"]);
  const rows = names.flatMap((name) =>
    parts.map((part) => {
      const values = both.map((each) => {
        const found = metricsOf(each).find((metric) => metric.name === name);
        return found ? (part === "test" ? found.test : lastOf(found[part])) : null;
      });
      return [words.metricOf(name, words[part]), ...values.map(shown)];
    }),
  );
  const known = rows.filter(([, ...values]) => values.some((value) => value !== common.none));
  return [
    [words.state, ...both.map(({ state }) => common.state(state))],
    ...known,
    [words.time, ...both.map(({ training_time }) => duration(training_time))],
  ];
}

/** Neither of these is a setting. */
const NOT_SETTINGS = ["id", "time", "results"];

/** @param {[Result, Result]} both @param {Deployment[]} deployments */
export function differencesOf(both, deployments) {
  const settings = both.map(({ deployment, model, seed }) => {
    const found = deployments.find(({ id }) => id === deployment.id);
    const rest = Object.entries(found ?? {}).filter(([name]) => !NOT_SETTINGS.includes(name));
    return /** @type {Record<string, unknown>} */ ({ model: model.name, ...Object.fromEntries(rest), seed });
  });
  const names = [...new Set(settings.flatMap(Object.keys))];
  return names.flatMap((name) => {
    const values = settings.map((each) => wordsOf(each[name]));
    return values[0] === values[1] ? [] : [[name, ...values]];
  });
}

/** @param {any} value */
const wordsOf = (value) => (value === undefined || value === null || value === "" ? common.none : typeof value === "object" ? (value.name ?? JSON.stringify(value)) : String(value));
