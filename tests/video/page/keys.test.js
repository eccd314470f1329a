import assert from "node:assert/strict";
import { test } from "node:test";

import { actOf, stepOf } from "../../../video/page/keys.js";

const PLAIN = { altKey: false, ctrlKey: false, metaKey: false };

test("keys work in the single view, also as capital letters", () => {
  assert.equal(actOf({ key: "Escape", ...PLAIN }, true), "leave");
  assert.equal(actOf({ key: "ArrowRight", ...PLAIN }, true), "next");
  assert.equal(actOf({ key: "f", ...PLAIN }, true), "fullscreen");
  assert.equal(actOf({ key: "S", ...PLAIN }, true), "snapshot");
});

test("on the wall, only the list of keys has a key", () => {
  assert.equal(actOf({ key: "?", ...PLAIN }, false), "help");
  for (const key of ["Escape", "ArrowRight", "f", "s"]) assert.equal(actOf({ key, ...PLAIN }, false), null);
});

test("the browser's own shortcuts are left alone", () => {
  for (const held of ["altKey", "ctrlKey", "metaKey"]) {
    for (const key of ["f", "s", "ArrowLeft", "?"]) {
      assert.equal(actOf({ key, ...PLAIN, [held]: true }, true), null);
    }
  }
  for (const key of ["constructor", "toString", "F5", "Dead"]) assert.equal(actOf({ key, ...PLAIN }, true), null);
});

test("arrows lead from tile to tile, but not off the wall", () => {
  assert.equal(stepOf("ArrowRight", 0, [5], 3), 1);
  assert.equal(stepOf("ArrowDown", 1, [5], 3), 4);
  assert.equal(stepOf("ArrowUp", 4, [5], 3), 1);
  assert.equal(stepOf("Home", 4, [5], 3), 0);
  assert.equal(stepOf("End", 0, [5], 3), 4);
  assert.equal(stepOf("ArrowLeft", 0, [5], 3), null);
  assert.equal(stepOf("ArrowDown", 2, [5], 3), null);
  assert.equal(stepOf("End", 4, [5], 3), null);
  assert.equal(stepOf("Tab", 0, [5], 3), null);
});

test("each group begins a new row, and arrows lead from group to group", () => {
  const sizes = [4, 0, 2, 3]; // in rows of three: 0 1 2, 3; 4 5; 6 7 8

  assert.equal(stepOf("ArrowDown", 0, sizes, 3), 3);
  assert.equal(stepOf("ArrowDown", 3, sizes, 3), 4);
  assert.equal(stepOf("ArrowDown", 2, sizes, 3), null);
  assert.equal(stepOf("ArrowDown", 5, sizes, 3), 7);
  assert.equal(stepOf("ArrowUp", 8, sizes, 3), 5);
  assert.equal(stepOf("ArrowUp", 4, sizes, 3), 3);
  assert.equal(stepOf("ArrowRight", 3, sizes, 3), 4);
  assert.equal(stepOf("End", 0, sizes, 3), 8);
  assert.equal(stepOf("End", 0, [], 3), null);
});
