import assert from "node:assert/strict";
import { test } from "node:test";

import { differencesOf, figuresOf, linesOf } from "../../../training/page/comparison.js";
import { bestOf, columnsOf, isLoss, lastOf, metricsOf, sharesOf, tellsClasses } from "../../../training/page/metrics.js";

/** @typedef {import("../../../training/page/types.js").Deployment} Deployment */
/** @typedef {import("../../../training/page/types.js").Result} Result */

/** @param {Partial<Result>} fields @returns {Result} */
const result = (fields) =>
  /** @type {Result} */ ({
    id: 1,
    state: "finished",
    model: { id: 1, name: "digits" },
    deployment: { id: 1, time: "" },
    train_metrics: null,
    val_metrics: null,
    test_metrics: null,
    training_time: null,
    seed: 1,
    ...fields,
  });

test("a result without metrics has none", () => {
  assert.deepEqual(metricsOf(result({})), []);
});

test("a metric has its values in training, validation and test", () => {
  const found = metricsOf(
    result({ train_metrics: { loss: [2, 1], accuracy: [0.1, 0.2] }, val_metrics: { loss: [3, null] }, test_metrics: { loss: [1.5] } }),
  );

  assert.deepEqual(found, [
    { name: "loss", training: [2, 1], validation: [3, null], test: 1.5 },
    { name: "accuracy", training: [0.1, 0.2], validation: [], test: null },
  ]);
});

test("the best of a loss is the lowest, and of anything else the highest", () => {
  assert.ok(isLoss("mean_squared_error") && isLoss("val_loss") && isLoss("mae"));
  assert.ok(!isLoss("accuracy"));
  assert.equal(bestOf("loss", [3, null, 1, 2]), 1);
  assert.equal(bestOf("accuracy", [0.1, 0.9, 0.8]), 0.9);
  assert.equal(bestOf("loss", [null]), null);
  assert.equal(lastOf([1, 2]), 2);
  assert.equal(lastOf([]), null);
});

test("a chart has a column of epochs, and one of the same length for each line", () => {
  const line = (/** @type {(number | null)[]} */ values) => ({ name: "a", values, tone: /** @type {const} */ ("first"), dashed: false });

  assert.deepEqual(columnsOf([line([5, 6, 7]), line([1])]), [[1, 2, 3], [5, 6, 7], [1, null, null]]);
  assert.deepEqual(columnsOf([]), [[]]);
});

test("each row of a matrix is divided by its sum; a label without samples has none", () => {
  assert.deepEqual(sharesOf([[3, 1], [0, 0]]), [[0.75, 0.25], [0, 0]]);
});

test("two results have the lines of both", () => {
  const one = result({ id: 1, train_metrics: { loss: [2, 1] }, val_metrics: { loss: [3, 2] } });
  const other = result({ id: 2, train_metrics: { loss: [4], accuracy: [0.5] } });

  assert.deepEqual(
    linesOf([one, other], "loss").map(({ values, tone, dashed }) => [values, tone, dashed]),
    [[[2, 1], "first", false], [[3, 2], "first", true], [[4], "second", false]],
  );
  assert.equal(linesOf([one, other], "accuracy").length, 1);
});

test("their figures are next to each other, without those that neither has", () => {
  const one = result({ train_metrics: { loss: [2, 1] }, training_time: 3 });
  const other = result({ train_metrics: { loss: [4] }, test_metrics: { loss: [5] }, state: "failed" });

  assert.deepEqual(figuresOf([one, other]), [
    ["State", "Finished", "Failed"],
    ["loss, training", "1.0000", "4.0000"],
    ["loss, test", "–", "5.0000"],
    ["Training time", "3.0 s", "–"],
  ]);
});

test("only settings that differ are shown", () => {
  const deployment = (/** @type {object} */ fields) => /** @type {Deployment} */ ({ batch: 32, configuration: { id: 1, name: "a" }, time: "now", ...fields });
  const deployments = [deployment({ id: 1, tf_kwargs_fit: "epochs=2" }), deployment({ id: 2, tf_kwargs_fit: "", time: "later" })];
  const one = result({ deployment: { id: 1, time: "" } });
  const other = result({ deployment: { id: 2, time: "" }, seed: 2 });

  assert.deepEqual(differencesOf([one, other], deployments), [
    ["tf_kwargs_fit", "epochs=2", "–"],
    ["seed", "1", "2"],
  ]);
  assert.deepEqual(differencesOf([one, one], deployments), []);
});

test("a model tells classes apart if its metrics say so, or if it has none", () => {
  const of = (/** @type {Record<string, number[]>} */ metrics, /** @type {number[][] | null} */ matrix = null) =>
    tellsClasses({ train_metrics: metrics, val_metrics: null, test_metrics: null, confusion_matrix: matrix });

  assert.ok(of({ loss: [1], accuracy: [0.5] }));
  assert.ok(of({ loss: [1] }, [[1]]));
  assert.ok(of({}));
  assert.ok(!of({ loss: [1], mae: [0.5] }));
});
