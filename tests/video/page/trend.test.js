import assert from "node:assert/strict";
import { test } from "node:test";

import { Trend } from "../../../video/page/trend.js";

/** @param {string} model @param {number} [score] */
function prediction(model, score) {
  const results = score === undefined ? [] : [{ label: "suit", score }];
  return { model, results, seq: 1, age_ms: 1, stale: false };
}

test("one point per second is kept, however often the server reports", () => {
  const trend = new Trend();
  for (let at = 0; at < 3000; at += 100) trend.add(at, [prediction("m", 0.5)], 40);

  assert.deepEqual(trend.ages.map(({ at }) => at), [0, 900, 1800, 2700]);
  assert.equal(trend.scores.get("m")?.length, 4);
});

test("two minutes are kept", () => {
  const trend = new Trend();
  for (let at = 0; at <= 300_000; at += 1000) trend.add(at, [prediction("m", 0.5)], 40);

  assert.equal(trend.ages[0].at, 180_000);
  assert.equal(trend.ages.length, 121);
  assert.equal(trend.scores.get("m")?.length, 121);
});

test("a model that saw nothing has no score at that time", () => {
  const trend = new Trend();
  trend.add(0, [prediction("m", 0.5)], 40);
  trend.add(1000, [prediction("m")], 40);

  assert.deepEqual(trend.scores.get("m"), [{ at: 0, value: 0.5 }, { at: 1000, value: NaN }]);
});

test("a model that is no longer reported is forgotten after two minutes", () => {
  const trend = new Trend();
  trend.add(0, [prediction("gone", 0.5), prediction("m", 0.5)], 40);
  trend.add(60_000, [prediction("m", 0.5)], 40);
  assert.deepEqual([...trend.scores.keys()], ["gone", "m"]);

  trend.add(121_000, [prediction("m", 0.5)], 40);

  assert.deepEqual([...trend.scores.keys()], ["m"]);
});
