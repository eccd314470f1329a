import assert from "node:assert/strict";
import { test } from "node:test";

import { idIn, routeOf, routeTo } from "../../../training/page/route.js";

const plain = (/** @type {string} */ hash) => {
  const { name, rest, query } = routeOf(hash);
  return { name, rest, query: Object.fromEntries(query) };
};

test("the start has an empty name", () => {
  for (const hash of ["", "#", "#/"]) assert.deepEqual(plain(hash), { name: "", rest: [], query: {} });
});

test("a route has a name, parts and a query", () => {
  assert.deepEqual(plain("#/compare/3/4"), { name: "compare", rest: ["3", "4"], query: {} });
  assert.deepEqual(plain("#/results?deployment=2&a=b"), { name: "results", rest: [], query: { deployment: "2", a: "b" } });
});

test("what is written is read again", () => {
  const hash = routeTo(["visualisation", "a/b c?"], { topic: "é&=#", n: 3 });

  assert.deepEqual(plain(hash), { name: "visualisation", rest: ["a/b c?"], query: { topic: "é&=#", n: "3" } });
});

test("an address that is no encoding is taken as it is", () => {
  assert.deepEqual(plain("#/models/%E0%"), { name: "models", rest: ["%E0%"], query: {} });
});

test("ids are whole numbers", () => {
  assert.equal(idIn("12"), 12);
  for (const part of ["", "new", "-1", "1.5", "12345678901", undefined, null]) assert.equal(idIn(part), null);
});
