import assert from "node:assert/strict";
import { test } from "node:test";

import { isActive, shareOf, toneOf, waitsForData } from "../../../training/page/progress.js";
import { text } from "../../../training/page/text/common.js";
import { counted, duration, metric, number, percent, tick } from "../../../training/page/text/numbers.js";

/** @typedef {import("../../../training/page/types.js").Progress} Progress */
/** @typedef {import("../../../training/page/types.js").State} State */

const at = (/** @type {State} */ state, /** @type {Progress | null} */ progress) => ({ state, progress });

test("a training is active until it has ended", () => {
  /** @type {State[]} */
  const active = ["queued", "starting", "waiting", "reading", "training", "evaluating", "exporting"];
  /** @type {State[]} */
  const ended = ["finished", "failed", "stopped"];

  assert.deepEqual(active.filter(waitsForData), ["queued", "starting", "waiting"]);
  assert.ok(!ended.some(waitsForData));
  assert.ok(active.every(isActive));
  assert.ok(!ended.some(isActive));
  assert.notEqual(toneOf("failed"), toneOf("finished"));
  assert.equal(toneOf(/** @type {any} */ ("other")), "away");
});

test("reading: messages of how many", () => {
  const reading = at("reading", { read: 1200, total: 1797 });

  assert.equal(shareOf(reading), 1200 / 1797);
  assert.equal(text.progress(reading), "1,200 of 1,797 messages");
});

test("training: the epoch that runs, the step, and the time left", () => {
  const training = at("training", { epoch: 2, epochs: 20, step: 9, steps: 45, left_s: 12.4 });

  assert.equal(shareOf(training), (2 + 9 / 45) / 20);
  assert.equal(text.progress(training), "Epoch 3 of 20, step 9 of 45, about 12 s left");
});

test("after the last epoch it is not one more", () => {
  const done = at("training", { epoch: 20, epochs: 20 });

  assert.equal(shareOf(done), 1);
  assert.equal(text.progress(done), "Epoch 20 of 20");
});

test("queued: the place", () => {
  const queued = at("queued", { place: 2 });

  assert.equal(shareOf(queued), null);
  assert.equal(text.progress(queued), "Place 2 in the queue");
  assert.equal(text.progress(at("training", { place: 2 })), "");
});

test("where nothing is known, nothing is said", () => {
  for (const each of [at("queued", null), at("waiting", null), at("training", null), at("reading", { read: 0, total: 0 }), at("finished", { epoch: 2, epochs: 2 })]) {
    assert.equal(shareOf(each), null);
    assert.equal(text.progress(each), "");
  }
});

test("the time left", () => {
  assert.equal(text.left(0.6), "1 s");
  assert.equal(text.left(89), "89 s");
  assert.equal(text.left(600), "10 min");
  assert.equal(text.left(9000), "2.5 h");
});

test("figures", () => {
  assert.equal(number(1234567), "1,234,567");
  assert.equal(metric(0.123456), "0.1235");
  assert.equal(metric(123.456), "123.46");
  assert.equal(metric(0), "0.0000");
  assert.equal(metric(0.0000123), "1.23e−5");
  assert.deepEqual([0, 0.25, 120_000, 2.5e12, -0.0001].map(tick), ["0", "0.25", "120000", "2.5e12", "−1.0e−4"]);
  assert.equal(metric(null), "–");
  assert.equal(metric(NaN), "–");
  assert.equal(percent(0.123), "12%");
  assert.equal(counted(1, "model"), "1 model");
  assert.equal(counted(2, "model"), "2 models");
  assert.equal(duration("14.5678"), "15 s");
  assert.equal(duration(3.14), "3.1 s");
  assert.equal(duration(125), "2 min 5 s");
  assert.equal(duration(59.7), "1 min 0 s");
  assert.equal(duration(119.6), "2 min 0 s");
  assert.equal(duration(7260), "2 h 1 min");
  assert.equal(duration(7199), "2 h 0 min");
  assert.equal(duration(null), "–");
});
