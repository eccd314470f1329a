import assert from "node:assert/strict";
import { test } from "node:test";

import { changesOf, fieldOf, recordOf, valuesOf } from "../../../video/page/edit/fields.js";

const EMPTY = valuesOf("", {});

test("an empty form is an empty record", () => {
  assert.deepEqual(recordOf(EMPTY), {});
});

test("a record is shown as it would be typed, without its link", () => {
  const config = { link: "rtsp://***@cam/1", interval: 0.04, scale: [0.5, 0.5], deadline: 1.5, weight: 2, rotate: 90 };

  const values = valuesOf("door", { ...config, group: "hall", models: ["emonet_2"] });

  assert.deepEqual(values, {
    name: "door",
    link: "",
    group: "hall",
    interval: "40ms",
    scale: "0.5",
    rotate: "90",
    weight: "2",
    deadline: "1.5s",
    models: ["emonet_2"],
  });
});

test("a record goes through the form unchanged, except for its link", () => {
  const config = {
    group: "hall",
    interval: "40ms",
    scale: [0.5, 0.75],
    rotate: 270,
    models: [],
    weight: 0.5,
    deadline: "500ms",
  };

  assert.deepEqual(recordOf(valuesOf("door", { link: "***", ...config, paused: true })), config);
  assert.deepEqual(recordOf(valuesOf("door", { link: "***", scale: 1, rotate: 0, weight: 1, models: null })), {});
});

test("only what was changed is sent, so that others' changes stay", () => {
  const config = { link: "***", group: "hall", interval: "40ms", scale: [0.5, 0.75], models: ["emonet_2"], paused: true };
  const values = valuesOf("door", config);

  assert.deepEqual(changesOf(config, values), {});
  assert.deepEqual(changesOf(config, { ...values, group: "yard", link: "rtsp://cam/2" }), {
    group: "yard",
    link: "rtsp://cam/2",
  });
  assert.deepEqual(changesOf({ ...config, group: "" }, { ...values, group: "yard" }), { group: "yard" });
});

test("a field that was emptied gets its default", () => {
  const config = { group: "hall", interval: "40ms", scale: 0.5, rotate: 90, models: [], weight: 2, deadline: "1s" };

  assert.deepEqual(changesOf(config, valuesOf("door", {})), {
    group: "",
    interval: null,
    scale: 1,
    rotate: 0,
    models: null,
    weight: 1,
    deadline: null,
  });
});

test("factors are written in several ways", () => {
  const scaleOf = (/** @type {string} */ scale) => recordOf({ ...EMPTY, scale }).scale;

  assert.equal(scaleOf(" .5 "), 0.5);
  for (const text of ["0.5 0.75", "0.5, 0.75", "0.5×0.75", "0.5 x 0.75"]) assert.deepEqual(scaleOf(text), [0.5, 0.75]);
});

test("what cannot be understood is sent as it is, so that the server can say what it expects", () => {
  const values = { ...EMPTY, scale: "half", weight: "much", interval: "often" };

  assert.deepEqual(recordOf(values), { scale: "half", weight: "much", interval: "often" });
});

test("an error names its field", () => {
  assert.equal(fieldOf("link: expected a URL"), "link");
  assert.equal(fieldOf("interval='x': expected a Go duration"), "interval");
  assert.equal(fieldOf("name is missing"), "name");
  for (const why of ["", "the server does not answer", "constructor: no", "linked: no"]) {
    assert.equal(fieldOf(why), null);
  }
});
