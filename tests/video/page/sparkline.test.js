import assert from "node:assert/strict";
import { test } from "node:test";

import { figuresOf, pathOf } from "../../../video/page/sparkline.js";
import { randomFrom } from "./random.js";

const FRAME = { from: 0, to: 100_000, low: 0, high: 1, width: 200, height: 44 };

/** @param {number[]} values a second apart */
const series = (...values) => values.map((value, at) => ({ at: 1000 * at, value }));

test("a line runs from left to right, with high values at the top", () => {
  const points = [
    { at: 0, value: 0 },
    { at: 5000, value: 1 },
    { at: 10_000, value: 0.5 },
  ];

  assert.equal(pathOf(points, FRAME), "M0.0 42.0h0L10.0 2.0L20.0 22.0");
});

test("missing values leave a gap if they last longer than a few seconds", () => {
  const short = [...series(0, 0, NaN, 0)];
  const long = [{ at: 0, value: 0 }, { at: 1000, value: NaN }, { at: 6000, value: 0 }];

  assert.equal(pathOf(short, FRAME).match(/M/g)?.length, 1);
  assert.equal(pathOf(long, FRAME).match(/M/g)?.length, 2);
});

test("points older than two minutes are left out", () => {
  assert.equal(pathOf([{ at: -1, value: 1 }, { at: 100_001, value: 1 }], FRAME), "");
  assert.equal(pathOf([], FRAME), "");
});

test("no line leaves its frame or contains an invalid number", () => {
  const random = randomFrom(7);
  for (let turn = 0; turn < 300; turn++) {
    const points = Array.from({ length: Math.floor(random() * 40) }, (_, at) => {
      return { at: at * 3000 * random(), value: random() < 0.2 ? NaN : random() * 4 - 2 };
    }).sort((a, b) => a.at - b.at);

    const path = pathOf(points, FRAME);

    assert.match(path, /^(M[\d.]+ [\d.]+h0|L[\d.]+ [\d.]+)*$/);
    for (const [, x, y] of path.matchAll(/[ML]([\d.]+) ([\d.]+)/g)) {
      assert.ok(Number(x) >= 0 && Number(x) <= FRAME.width);
      assert.ok(Number(y) >= 2 && Number(y) <= FRAME.height - 2);
    }
  }
});

test("the figures are the last, the lowest and the highest value", () => {
  assert.deepEqual(figuresOf(series(0.5, 0.2, 0.9)), { last: 0.9, low: 0.2, high: 0.9 });
  assert.deepEqual(figuresOf(series(0.5, NaN)), { last: NaN, low: 0.5, high: 0.5 });
  assert.equal(figuresOf(series(NaN)), null);
  assert.equal(figuresOf([]), null);
});
