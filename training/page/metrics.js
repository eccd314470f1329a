/** Metrics of results as rows and curves. */

/** @typedef {import("./types.js").Metrics} Metrics */
/** @typedef {import("./types.js").Result} Result */
/** @typedef {(number | null)[]} Values one per epoch */

/** @typedef {{name: string, training: Values, validation: Values, test: number | null}} Metric */

const OF_CLASSES = /acc|auc|precision|recall|f1|f_?beta|top_?k|entropy/i;

/** A line of a chart. @typedef {{name: string, values: Values, tone: "first" | "second", dashed: boolean}} Line */

/**
 * Return the metrics of a result, as far as they are known.
 * @param {Pick<Result, "train_metrics" | "val_metrics" | "test_metrics">} result
 * @returns {Metric[]}
 */
export function metricsOf({ train_metrics, val_metrics, test_metrics }) {
  const names = new Set([train_metrics, val_metrics, test_metrics].flatMap((each) => Object.keys(each ?? {})));
  return [...names].map((name) => ({
    name,
    training: train_metrics?.[name] ?? [],
    validation: val_metrics?.[name] ?? [],
    test: lastOf(test_metrics?.[name] ?? []),
  }));
}

/** @param {Values} values @returns {number | null} the last one; null if there is none */
export const lastOf = (values) => values[values.length - 1] ?? null;

/** Whether less is better: a loss or an error. @param {string} name */
export const isLoss = (name) => /loss|error|mae|mse|entropy|divergence|deviance/i.test(name);

/**
 * Whether a result's model tells classes apart, as far as its metrics say; without metrics, true.
 * @param {Pick<Result, "train_metrics" | "val_metrics" | "test_metrics" | "confusion_matrix">} result
 */
export function tellsClasses(result) {
  const names = metricsOf(result).map(({ name }) => name);
  return names.length === 0 || Boolean(result.confusion_matrix?.length) || names.some((name) => OF_CLASSES.test(name));
}

/** @param {string} name @param {Values} values @returns {number | null} */
export function bestOf(name, values) {
  const known = values.filter((value) => value !== null);
  if (!known.length) return null;
  return isLoss(name) ? Math.min(...known) : Math.max(...known);
}

/**
 * Return the columns that a chart draws: the epochs, counted from 1, and the values of each line.
 * @param {Line[]} lines
 * @returns {(number | null)[][]}
 */
export function columnsOf(lines) {
  const count = Math.max(0, ...lines.map(({ values }) => values.length));
  const epochs = Array.from({ length: count }, (_, at) => at + 1);
  return [epochs, ...lines.map(({ values }) => epochs.map((_, at) => values[at] ?? null))];
}

/** Return how often each class was recognised, 0 to 1: the matrix with each row divided by its sum. @param {number[][]} matrix */
export function sharesOf(matrix) {
  return matrix.map((row) => {
    const sum = row.reduce((all, each) => all + each, 0);
    return row.map((each) => (sum ? each / sum : 0));
  });
}
