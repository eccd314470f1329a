import assert from "node:assert/strict";
import { test } from "node:test";

import { merge } from "../../../video/page/timeline.js";
import { randomFrom } from "./random.js";

/** @param {string} id @param {string} [label] */
function event(id, label = "suit") {
  const time = "2026-11-21T19:46:47.123Z";
  return { id, time, camera: "door", model: "m", label, score: 0.5, previous: null, seq: 1, snapshot: null };
}

const ids = (/** @type {{id: string}[]} */ events) => events.map(({ id }) => id);

test("newest first, by ids that are too large for a number", () => {
  const events = ["1795288000123456789", "1795288000123456790", "999", "1000"].map((id) => event(id));

  assert.deepEqual(ids(merge([], events, 9)), ["1795288000123456790", "1795288000123456789", "1000", "999"]);
});

test("an event that is sent again is kept once, in its last form", () => {
  const [merged, ...more] = merge([event("7", "suit")], [event("7", "tie")], 9);

  assert.equal(merged.label, "tie");
  assert.deepEqual(more, []);
});

test("the oldest are dropped if there are too many", () => {
  assert.deepEqual(ids(merge([event("1"), event("3")], [event("2")], 2)), ["3", "2"]);
});

test("in whatever order events arrive, the list holds the newest in order", () => {
  const random = randomFrom(11);
  for (let turn = 0; turn < 100; turn++) {
    /** @type {import("../../../video/page/timeline.js").LabelEvent[]} */
    let events = [];
    const seen = new Set();
    for (let part = 0; part < 8; part++) {
      const more = Array.from({ length: Math.floor(random() * 6) }, () => String(Math.floor(random() * 200)));
      for (const id of more) seen.add(Number(id));
      events = merge(events, more.map((id) => event(id)), 10);
    }

    const newest = [...seen].sort((a, b) => b - a).slice(0, 10);
    assert.deepEqual(ids(events).map(Number), newest);
  }
});
