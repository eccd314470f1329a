import assert from "node:assert/strict";
import { test } from "node:test";

import { arrange, sharedRatio } from "../../../video/page/layout.js";
import { randomFrom } from "./random.js";

const CAPTION = 56;

/** @param {number} width @param {number} height @param {number} count */
const room = (width, height, count) => ({
  width,
  height,
  gap: 12,
  ratio: 16 / 9,
  captions: Array(count).fill(CAPTION),
});

/**
 * How high the wall gets, px.
 * @param {import("../../../video/page/layout.js").Room} room
 * @param {ReturnType<typeof arrange>} arrangement
 */
function heightOf({ gap, ratio, captions }, { columns, tile }) {
  const rows = Math.ceil(captions.length / columns);
  return rows * (tile / ratio + CAPTION) + (rows - 1) * gap;
}

test("one camera fills the screen", () => {
  const { columns, tile } = arrange(room(1600, 900, 1));

  assert.equal(columns, 1);
  assert.equal(tile, Math.floor((900 - CAPTION) * (16 / 9)));
});

test("four cameras are arranged two by two", () => {
  assert.equal(arrange(room(1600, 900, 4)).columns, 2);
});

test("an incomplete last row must make the tiles noticeably larger, a full one need not", () => {
  assert.deepEqual(arrange(room(1600, 900, 8)), { columns: 4, tile: 391 });
  assert.deepEqual(arrange(room(1600, 900, 9)), { columns: 3, tile: 419 });
});

test("on a phone, cameras are arranged in one column", () => {
  assert.deepEqual(arrange(room(328, 600, 5)), { columns: 1, tile: 328 });
});

test("an empty wall has one column", () => {
  assert.ok(arrange(room(1600, 900, 0)).columns >= 1);
});

test("tiles never exceed the wall, and either all fit on the screen or are wide enough to read", () => {
  const random = randomFrom(1);
  /** @param {number} low @param {number} high */
  const from = (low, high) => low + Math.floor(random() * (high - low));

  for (let run = 0; run < 500; run++) {
    const space = room(from(320, 2320), from(300, 1500), from(1, 80));

    const found = arrange(space);

    assert.ok(found.columns >= 1 && found.tile > 0);
    assert.ok(found.columns * found.tile + (found.columns - 1) * space.gap <= space.width);
    const fits = heightOf(space, found) <= space.height + 1;
    assert.ok(fits || found.tile >= Math.min(320, space.width), JSON.stringify({ space, found }));
  }
});

test("the pictures share the median ratio, within sensible limits", () => {
  assert.equal(sharedRatio([4 / 3, 16 / 9, 16 / 9]), 16 / 9);
  assert.equal(sharedRatio([]), 16 / 9);
  assert.equal(sharedRatio([5]), 2);
  assert.equal(sharedRatio([0.5]), 4 / 3);
});
