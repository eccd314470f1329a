import assert from "node:assert/strict";
import { test } from "node:test";

import { text } from "../../../video/page/text.js";
import { spanOf, timeOf } from "../../../video/page/times.js";

test("longer durations are formatted more coarsely", () => {
  const spans = [-5, 43.4, 1000, 9940, 12_345, 59_000, 90_000, 7_200_000, 200_000_000];

  const words = spans.map(spanOf);

  assert.deepEqual(words, ["0 ms", "43 ms", "1.0 s", "9.9 s", "12 s", "59 s", "2 min", "2 h", "2 days"]);
});

test("a time includes the date unless it is today", () => {
  const now = new Date(2026, 10, 21, 20, 0, 0);

  assert.equal(timeOf(new Date(2026, 10, 21, 12, 3, 7), now), "12:03:07");
  assert.equal(timeOf(new Date(2026, 10, 20, 12, 3, 7), now), "20 Nov, 12:03:07");
  assert.equal(timeOf(new Date("nonsense"), now), "?");
});

test("a veil shows the state and when it began", () => {
  const time = new Date();
  const since = `since ${timeOf(time)}`;

  assert.equal(text.veil("no-signal", time), `No signal ${since}`);
  assert.equal(text.veil("broker-away", time), `Broker away ${since}`);
  assert.equal(text.veil("away", time), `No connection ${since}`);
  assert.equal(text.veil("away", null), text.states.away);
});

test("a state has a time only if a picture may be older than it looks", () => {
  const time = new Date();

  assert.equal(text.since("stale", time), `since ${timeOf(time)}`);
  assert.equal(text.since("no-signal", time), `since ${timeOf(time)}`);
  assert.equal(text.since("away", null), "");
  for (const state of /** @type {const} */ (["live", "never-seen"])) {
    assert.equal(text.since(state, time), "");
  }
});

test("a trend is described in words", () => {
  const figures = { last: 0.93, low: 0.2, high: 0.97 };

  assert.equal(text.scoreTrendOf("m", figures), "m, last two minutes: now 93%, lowest 20%, highest 97%");
  assert.match(text.scoreTrendOf("m", { ...figures, last: NaN }), /now none/);
  assert.equal(text.ageTrendOf("Age", null), "Age, last two minutes: none");
});

test("the number of boxes is in correct English", () => {
  assert.equal(text.boxes(1), "1 box");
  assert.equal(text.boxes(3), "3 boxes");
});
