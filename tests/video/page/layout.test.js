import assert from "node:assert/strict";
import { test } from "node:test";

import { arrange } from "../../../video/page/layout.js";
import { randomFrom } from "./random.js";

const CAPTION = 56;

/** @param {number} width @param {number} height @param {number} count @param {number[]} kinds of ratios, in turn */
const room = (width, height, count, kinds = [16 / 9]) => ({
  width,
  height,
  gap: 12,
  ratios: Array.from({ length: count }, (_, at) => kinds[at % kinds.length]),
  captions: Array(count).fill(CAPTION),
});

/**
 * How high the wall gets, px.
 * @param {import("../../../video/page/layout.js").Room} room
 * @param {ReturnType<typeof arrange>} arrangement
 */
function heightOf({ gap, captions }, { columns, tile, ratio }) {
  const rows = Math.ceil(captions.length / columns);
  return rows * (tile / ratio + CAPTION) + (rows - 1) * gap;
}

/**
 * How much of the wall pictures cover, px².
 * @param {number[]} ratios
 * @param {ReturnType<typeof arrange>} arrangement
 */
function areaOf(ratios, { tile, ratio }) {
  return ratios.reduce((sum, each) => {
    const width = Math.min(tile, (tile / ratio) * each);
    return sum + (width * width) / each;
  }, 0);
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
  assert.deepEqual(arrange(room(1600, 900, 8)), { columns: 4, tile: 391, ratio: 16 / 9 });
  assert.deepEqual(arrange(room(1600, 900, 9)), { columns: 3, tile: 419, ratio: 16 / 9 });
});

test("on a phone, cameras are arranged in one column", () => {
  assert.deepEqual(arrange(room(328, 600, 5)), { columns: 1, tile: 328, ratio: 16 / 9 });
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

test("two cameras fill a wide screen, side by side", () => {
  for (const [width, height] of [
    [1896, 532],
    [2536, 1012],
    [3416, 1372],
  ]) {
    const { columns, tile } = arrange(room(width, height, 2));

    assert.equal(columns, 2);
    assert.equal(tile, Math.floor(Math.min((width - 12) / 2, (height - CAPTION) * (16 / 9))));
  }
});

test("a wide picture next to a usual one is as high, where there is room", () => {
  const { columns, tile, ratio } = arrange(room(1896, 476, 2, [16 / 9, 2.35]));

  assert.equal(columns, 2);
  assert.equal(ratio, 2.35);
  assert.equal(tile, Math.min(942, Math.floor(420 * 2.35)));
});

test("on a tall screen, two cameras are above each other", () => {
  assert.deepEqual(arrange(room(900, 1500, 2)), { columns: 1, tile: 900, ratio: 16 / 9 });
});

test("no other number of columns makes the pictures noticeably larger", () => {
  const screens = [
    [1896, 532],
    [2536, 1012],
    [1000, 932],
    [1056, 1852],
  ];
  const kinds = [[16 / 9], [4 / 3], [2.35, 4 / 3], [16 / 9, 9 / 16, 1.22], [0.4, 5]];
  for (const [width, height] of screens) {
    for (const ratios of kinds) {
      for (let count = 1; count <= 16; count++) {
        const space = room(width, height, count, ratios);
        const found = arrange(space);
        if (heightOf(space, found) > height + 1) continue; // it scrolls
        const area = areaOf(space.ratios, found);

        for (let columns = 1; columns <= count; columns++) {
          for (const ratio of [4 / 3, 16 / 9, 2, 2.35]) {
            const rows = Math.ceil(count / columns);
            const high = (height - 12 * (rows - 1)) / rows - CAPTION;
            const tile = Math.floor(Math.min((width - 12 * (columns - 1)) / columns, high * ratio));
            const other = tile > 0 ? areaOf(space.ratios, { columns, tile, ratio }) : 0;
            assert.ok(other <= 1.25 * area, JSON.stringify({ space, found, columns, ratio }));
          }
        }
      }
    }
  }
});

test("most pictures fill their area, which has sensible limits", () => {
  assert.equal(arrange(room(400, 300, 60, [4 / 3, 16 / 9, 16 / 9])).ratio, 16 / 9);
  assert.equal(arrange(room(1600, 900, 0)).ratio, 16 / 9);
  assert.equal(arrange(room(1600, 900, 3, [5])).ratio, 2.4);
  assert.equal(arrange(room(1600, 900, 3, [0.5])).ratio, 4 / 3);
});

test("groups begin new rows, and their headings take room", () => {
  const four = room(1600, 900, 4);

  const one = arrange(four);
  const two = arrange({ ...four, sizes: [2, 2], headings: 100 });

  assert.deepEqual([one.columns, two.columns], [2, 2]);
  assert.ok(two.tile < one.tile);
  const rows = (900 - 100 - 12 - 2 * CAPTION) / 2;
  assert.equal(two.tile, Math.floor(rows * (16 / 9)));
});
