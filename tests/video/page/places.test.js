import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { inOrder, merged, moved, Places } from "../../../video/page/places.js";

/** @type {Map<string, string>} */
let stored;
let works = true;

const storage = {
  getItem: (/** @type {string} */ name) => stored.get(name) ?? null,
  setItem(/** @type {string} */ name, /** @type {string} */ value) {
    if (!works) throw new Error("QuotaExceededError");
    stored.set(name, value);
  },
};

beforeEach(() => {
  stored = new Map();
  works = true;
  Object.defineProperty(globalThis, "localStorage", { value: storage, configurable: true });
});

/** @param {string[]} names @param {Record<string, string>} [groups] */
const cameras = (names, groups = {}) => new Map(names.map((name) => [name, groups[name] ?? ""]));

/** @param {Places} places @param {string[]} names */
const shown = (places, names) => places.arrange(cameras(names)).flatMap((section) => section.names);

test("cameras are in the server's order until one is moved", () => {
  const places = new Places();
  assert.deepEqual(shown(places, ["a", "b", "c"]), ["a", "b", "c"]);

  places.put("c", "a", false);

  assert.deepEqual(shown(places, ["a", "b", "c"]), ["c", "a", "b"]);
  assert.deepEqual(shown(new Places(), ["a", "b", "c"]), ["c", "a", "b"]);
});

test("a camera that vanishes keeps its place, and a new one is the last", () => {
  const places = new Places();
  shown(places, ["a", "b", "c"]);
  places.put("c", "a", false);
  assert.deepEqual(shown(places, ["b", "c"]), ["c", "b"]);
  places.put("b", "c", false);

  assert.deepEqual(shown(places, ["a", "aa", "b", "c"]), ["b", "c", "a", "aa"]);
});

test("groups are in alphabetical order, and cameras without one follow", () => {
  const names = ["a", "b", "c", "d"];
  const all = new Places().arrange(cameras(names, { a: "yard 10", c: "yard 2", d: "Hall" }));

  assert.deepEqual(all.map(({ group }) => group), ["Hall", "yard 2", "yard 10", ""]);
  assert.deepEqual(all.map((section) => section.names), [["d"], ["c"], ["a"], ["b"]]);
});

test("collapsed groups are remembered, but cameras are not hidden when the headings have gone", () => {
  const places = new Places();
  places.toggle("hall");
  places.toggle("");

  const again = new Places();
  const [hall, others] = again.arrange(cameras(["a", "b"], { a: "hall" }));
  assert.ok(hall.collapsed && others.collapsed);
  assert.deepEqual(again.arrange(cameras(["b"])).map(({ collapsed }) => collapsed), [false]);
  again.toggle("hall");
  assert.deepEqual(new Places().arrange(cameras(["a"], { a: "hall" })).map(({ collapsed }) => collapsed), [false]);
});

test("what was stored can be anything", () => {
  for (const text of ["", "{", "7", "null", "{}", '[1, null, "b", ["a"], "b"]', '"b"']) {
    stored.set("streamlens.order", text);
    stored.set("streamlens.collapsed", text);
    assert.deepEqual(shown(new Places(), ["a", "b"]), text.startsWith("[") ? ["b", "a"] : ["a", "b"]);
  }
});

test("without storage, or if it is full, an order lasts until the page is closed", () => {
  works = false;
  const places = new Places();
  shown(places, ["a", "b"]);
  places.put("a", "b", true);
  assert.deepEqual(shown(places, ["a", "b"]), ["b", "a"]);

  Object.defineProperty(globalThis, "localStorage", {
    get() {
      throw new Error("SecurityError");
    },
    configurable: true,
  });
  assert.deepEqual(shown(new Places(), ["a", "b"]), ["a", "b"]);
});

test("orders are merged without losing a name", () => {
  assert.deepEqual(inOrder(["a", "b", "c"], ["c", "x", "a", "c"]), ["c", "a", "b"]);
  assert.deepEqual(merged(["x", "a", "y", "b"], ["b", "a", "c"]), ["x", "b", "y", "a", "c"]);
  assert.deepEqual(moved(["a", "b", "c"], "a", null), ["b", "c", "a"]);
  assert.deepEqual(moved(["a", "b", "c"], "a", "unknown"), ["b", "c", "a"]);
  assert.deepEqual(moved(["a", "b", "c"], "new", "b"), ["a", "new", "b", "c"]);
});
