import assert from "node:assert/strict";
import { test } from "node:test";

import { linesOf } from "../../../video/page/labels.js";

/** @typedef {import("../../../video/page/live/types.js").Camera} Camera */

/** @param {Partial<Camera>} some @returns {Camera} */
function camera(some) {
  const since = "2026-11-21T19:46:47Z";
  const numbers = { fps: 25, age_ms: 17, seq: 4711, width: 1280, height: 720 };
  return { name: "door", state: "live", reason: null, since, ...numbers, predictions: [], ...some };
}

const result = (/** @type {string} */ label, /** @type {number[] | undefined} */ box = undefined) => ({
  label,
  score: 0.5,
  ...(box && { box }),
});

test("a model is named on its first line, with its boxes", () => {
  const results = [result("person", [0, 0, 9, 9]), result("dog", [1, 1, 2, 2]), result("sky")];

  const lines = linesOf(camera({ predictions: [{ model: "detect_1", results, seq: 1, age_ms: 9, stale: false }] }));

  assert.deepEqual(lines.map(({ model }) => model), ["detect_1", "", ""]);
  assert.deepEqual(lines.map(({ label }) => label), ["person", "dog", "sky"]);
  assert.deepEqual(lines.map(({ boxes }) => boxes), ["2 boxes", "", ""]);
});

test("the wall shows at most three lines per model", () => {
  const results = ["a", "b", "c", "d", "e"].map((label) => result(label));

  const lines = linesOf(camera({ predictions: [{ model: "m", results, seq: 1, age_ms: 9, stale: false }] }));

  assert.deepEqual(lines.map(({ extra }) => extra), [false, false, false, true, true]);
});

test("seeing nothing, not answering and having no model are distinguished", () => {
  const nothing = camera({ predictions: [{ model: "m", results: [], seq: 1, age_ms: 9, stale: false }] });
  const silent = camera({ state: "model-away", predictions: [{ model: "m", results: [], seq: null, age_ms: null, stale: false }] });

  assert.equal(linesOf(nothing)[0].label, "Nothing");
  assert.equal(linesOf(silent)[0].label, "No answer");
  assert.equal(linesOf(camera({}))[0].label, "No label");
});

test("only answers that the server reports as stale show their age", () => {
  const old = { model: "slow", results: [result("suit")], seq: 1, age_ms: 9000, stale: true };
  const older = { ...old, model: "patient", age_ms: 12_000, stale: false };
  const nothing = { ...old, model: "blind", results: [] };

  const lines = linesOf(camera({ state: "stale", predictions: [old, older, nothing] }));

  assert.deepEqual(lines.map(({ age }) => age), ["9.0 s old", "", "9.0 s old"]);
});

test("a model without an answer shows no age", () => {
  const silent = { model: "m", results: [], seq: null, age_ms: null, stale: true };

  assert.deepEqual(linesOf(camera({ predictions: [silent] })).map(({ age }) => age), [""]);
});
