import assert from "node:assert/strict";
import { test } from "node:test";

import { Comparison, siblingOf } from "../../../video/page/comparison.js";

/** @typedef {import("../../../video/page/live/types.js").Prediction} Prediction */

/** @param {string} model @param {number | null} seq @param {string} [label] @param {number} [took_ms] @returns {Prediction} */
function prediction(model, seq, label, took_ms) {
  const results = label === undefined ? [] : [{ label, score: 0.5 }];
  const took = took_ms === undefined ? {} : { took_ms };
  return { model, results, seq, age_ms: seq === null ? null : 40, stale: false, ...took };
}

/** @param {number} seq @param {string} [one] @param {string} [other] */
const both = (seq, one, other) => [prediction("m_8", seq, one, 30), prediction("m_32", seq, other, 20)];

test("a sibling is another model of the same kind", () => {
  const all = [prediction("imagenet_8", 1), prediction("emonet_2", 1), prediction("imagenet_32", 1)];

  assert.equal(siblingOf("imagenet_8", all), "imagenet_32");
  assert.equal(siblingOf("imagenet_32", all), "imagenet_8");
  assert.equal(siblingOf("emonet_2", all), null);
});

test("labels are compared if they are about the same frame", () => {
  const comparison = new Comparison();
  comparison.add(0, both(1, "suit", "suit"));
  comparison.add(1000, both(2, "suit", "tie"));
  comparison.add(2000, both(3));
  comparison.add(3000, [prediction("m_8", 4, "suit"), prediction("m_32", 5, "suit")]);

  assert.deepEqual(comparison.agreementOf("m_8", "m_32"), { same: 2, of: 3 });
  assert.deepEqual(comparison.agreementOf("m_32", "m_8"), { same: 2, of: 3 });
  assert.deepEqual(comparison.agreementOf("m_8", "unknown"), { same: 0, of: 0 });
});

test("an answer counts once, however often it is reported", () => {
  const comparison = new Comparison();
  for (let at = 0; at < 5000; at += 1000) comparison.add(at, both(1, "suit", "suit"));

  assert.deepEqual(comparison.agreementOf("m_8", "m_32"), { same: 1, of: 1 });
});

test("one answer per second is kept, for two minutes", () => {
  const comparison = new Comparison();
  for (let at = 0; at <= 300_000; at += 100) comparison.add(at, both(at, "suit", "suit"));

  const { of } = comparison.agreementOf("m_8", "m_32");
  assert.equal(of, Math.floor(120_000 / 900) + 1);
});

test("the time of an answer is the median of those that are known", () => {
  const comparison = new Comparison();
  const times = [90, undefined, 20, 30];
  times.forEach((took, at) => comparison.add(1000 * at, [prediction("m_8", at, "suit", took), prediction("m_32", at)]));
  assert.equal(comparison.tookOf("m_8"), 30);
  assert.equal(comparison.tookOf("m_32"), NaN);

  comparison.add(4000, [prediction("m_8", 4, "suit", 40), prediction("m_32", 4)]);
  assert.equal(comparison.tookOf("m_8"), 35);
});

test("a model without a sibling or without an answer is not kept, and others are forgotten", () => {
  const comparison = new Comparison();
  comparison.add(0, [prediction("m_8", 1, "suit", 30), prediction("n_1", 1, "suit", 30), prediction("m_32", null)]);
  assert.equal(comparison.tookOf("m_8"), 30);
  assert.equal(comparison.tookOf("n_1"), NaN);

  comparison.add(121_000, [prediction("n_1", 2, "suit", 30)]);
  assert.equal(comparison.tookOf("m_8"), NaN);
});
