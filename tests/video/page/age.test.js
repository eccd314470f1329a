import assert from "node:assert/strict";
import { test } from "node:test";

import { ageOf } from "../../../video/page/age.js";

const WANTED = 10_000;

test("while pictures keep arriving, the age is that at drawing time", () => {
  const seen = { age_ms: 43, at: 20_000 };

  assert.deepEqual(ageOf(seen, WANTED, 20_000), { level: "fresh", ms: 43 });
  assert.deepEqual(ageOf(seen, WANTED, 20_900), { level: "fresh", ms: 43 });
});

test("a picture that arrives late is old immediately", () => {
  assert.deepEqual(ageOf({ age_ms: 1500, at: 20_000 }, WANTED, 20_010), { level: "old", ms: 1500 });
});

test("a picture that is not replaced ages", () => {
  const seen = { age_ms: 43, at: 20_000 };

  assert.deepEqual(ageOf(seen, WANTED, 21_500), { level: "old", ms: 1543 });
  assert.deepEqual(ageOf(seen, WANTED, 24_000), { level: "stalled", ms: 4043 });
});

test("a picture that is requested again gets time to arrive", () => {
  const seen = { age_ms: 43, at: 20_000 };

  assert.equal(ageOf(seen, 60_000, 60_010).level, "old");
  assert.equal(ageOf(seen, 60_000, 62_010).level, "stalled");
});

test("a picture that is not requested is old, but not stalled", () => {
  assert.equal(ageOf({ age_ms: 43, at: 20_000 }, NaN, 90_000).level, "old");
});

test("a picture that never arrives is stalled after a while", () => {
  assert.equal(ageOf(null, WANTED, WANTED + 100).level, "none");
  assert.equal(ageOf(null, WANTED, WANTED + 2100).level, "stalled");
  assert.equal(ageOf(null, NaN, WANTED).level, "none");
});

test("a camera that sends a picture every ten seconds does not make the connection slow", () => {
  const seen = { age_ms: 43, at: 20_000 };

  assert.equal(ageOf(seen, WANTED, 49_000, 10_000).level, "old");
  assert.equal(ageOf(seen, WANTED, 51_000, 10_000).level, "stalled");
  assert.equal(ageOf(seen, WANTED, 90_000, Infinity).level, "old");
});

test("an age is never negative, even if the clocks disagree", () => {
  assert.equal(ageOf({ age_ms: -30, at: 20_000 }, WANTED, 20_000).ms, 0);
});
