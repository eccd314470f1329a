import assert from "node:assert/strict";
import { test } from "node:test";

import { missing } from "../../../video/page/missing.js";

/** @typedef {import("../../../video/page/text.js").Shown} Shown */

/** @param {Record<string, Shown>} states */
const tiles = (states) => new Map(Object.entries(states).map(([name, state]) => [name, { name, state }]));

/** @param {{awaited: {name: string}[], dropped: {name: string}[], removed: {name: string}[]}} divided */
const names = ({ awaited, dropped, removed }) => [awaited, dropped, removed].map((all) => all.map(({ name }) => name));

test("a camera that the server has reported and no longer reports is removed, whatever its state was", () => {
  const before = tiles({ door: "live", gate: "no-signal", yard: "live" });
  const reported = tiles({ yard: "live" });

  assert.deepEqual(names(missing(before, reported, false)), [[], [], ["door", "gate"]]);
});

test("after the server has come back, the cameras that it does not know yet are awaited, then dropped", () => {
  const before = tiles({ door: "away", yard: "live" });
  const reported = tiles({ yard: "live" });

  assert.deepEqual(names(missing(before, reported, true)), [["door"], [], []]);
  assert.deepEqual(names(missing(before, reported, false)), [[], ["door"], []]);
});

test("a camera that is removed right after the server has come back is not awaited", () => {
  const before = tiles({ door: "live", yard: "away" });

  assert.deepEqual(names(missing(before, new Map(), true)), [["yard"], [], ["door"]]);
});

test("cameras that are still reported are left alone", () => {
  const before = tiles({ door: "away", yard: "live" });

  assert.deepEqual(names(missing(before, before, false)), [[], [], []]);
});
