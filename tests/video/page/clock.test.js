import assert from "node:assert/strict";
import { test } from "node:test";

import { Clock } from "../../../video/page/live/clock.js";
import { randomFrom } from "./random.js";

test("without an answer, the browser's clock is used", () => {
  assert.equal(new Clock().offset, 0);
});

test("the answer with the shortest round trip counts", () => {
  const clock = new Clock();

  clock.add(1000, 1400, 6000 + 390); // 400 ms, nearly all of them on the way there
  clock.add(2000, 2004, 7000 + 2);
  clock.add(3000, 3400, 8000 + 10);

  assert.equal(clock.offset, 5000);
});

test("the offset is never further off than half of the shortest round trip", () => {
  for (let seed = 0; seed < 200; seed++) {
    const random = randomFrom(seed);
    const offset = (random() - 0.5) * 1e7;
    const clock = new Clock();
    let best = Infinity;
    for (let run = 0; run < 8; run++) {
      const there = 1 + random() * 500;
      const back = 1 + random() * 500;
      best = Math.min(best, there + back);

      clock.add(run * 5000, run * 5000 + there + back, run * 5000 + there + offset);

      assert.ok(Math.abs(clock.offset - offset) <= best / 2 + 1e-6);
    }
  }
});

test("a clock that has been set is followed immediately", () => {
  const clock = new Clock();
  clock.add(0, 2, 1001);
  clock.add(1000, 1002, 2001);

  clock.add(2000, 2300, 62_150);

  assert.equal(clock.offset, 60_000);
  assert.equal(clock.samples, 1);
});

test("clocks that drift apart slowly are followed", () => {
  const clock = new Clock();

  for (let at = 0; at < 3_600_000; at += 10_000) clock.add(at, at + 20, at + 10 + at * 1e-4);

  assert.ok(Math.abs(clock.offset - 360) < 10);
  assert.ok(clock.samples <= 8, "old answers go");
});
