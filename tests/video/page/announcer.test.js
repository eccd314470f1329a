import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { Announcer } from "../../../video/page/announcer.js";

/** @typedef {import("../../../video/page/live/types.js").Camera} Camera */
/** @typedef {import("../../../video/page/live/types.js").State} State */

const browser = /** @type {Record<string, unknown>} */ (/** @type {unknown} */ (globalThis));
const before = { document: browser.document, window: browser.window };
const place = { textContent: "" };

/** @param {Record<string, State>} states @param {string | null} [reason] @returns {Camera[]} */
const cameras = (states, reason = null) =>
  Object.entries(states).map(([name, state]) => {
    const numbers = { fps: 25, age_ms: 17, seq: 1, width: 64, height: 48 };
    return { name, state, reason, since: "2026-11-21T19:46:47Z", ...numbers, predictions: [] };
  });

/** Let a second pass. @returns {string} what has been announced */
function announced() {
  place.textContent = "";
  mock.timers.tick(1000);
  return place.textContent;
}

beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout"] });
  place.textContent = "";
  browser.document = { getElementById: () => place };
  browser.window = {
    setTimeout(/** @type {() => void} */ act, /** @type {number} */ ms) {
      setTimeout(act, ms);
      return 1;
    },
  };
});

afterEach(() => {
  mock.timers.reset();
  Object.assign(browser, before);
});

test("changes of state within a second are announced together", () => {
  const announcer = new Announcer();
  announcer.note(cameras({ door: "live", yard: "live" }), []);
  announcer.note(cameras({ door: "no-signal", yard: "live" }), []);
  announcer.note(cameras({ door: "no-signal", yard: "stale" }), []);
  assert.equal(place.textContent, "");

  mock.timers.tick(1000);

  assert.match(place.textContent, /door: No signal; yard: Label stale/);
});

test("a removed camera is announced instead of its last change of state", () => {
  const announcer = new Announcer();
  announcer.note(cameras({ door: "live", yard: "live" }), []);
  announcer.note(cameras({ door: "no-signal", yard: "live" }), []);
  announcer.note(cameras({ yard: "live" }), ["door"]);

  mock.timers.tick(1000);

  assert.match(place.textContent, /door.*no longer/);
  assert.doesNotMatch(place.textContent, /signal/);
});

test("a camera that comes back is new: its state is not announced as a change", () => {
  const announcer = new Announcer();
  announcer.note(cameras({ door: "live" }), []);
  announcer.note([], ["door"]);
  mock.timers.tick(1000);
  place.textContent = "";

  announcer.note(cameras({ door: "stale" }), []);
  mock.timers.tick(1000);

  assert.equal(place.textContent, "");
});

test("many changes are announced as a number", () => {
  const announcer = new Announcer();
  announcer.note(cameras({ a: "live", b: "live", c: "live", d: "live" }), []);
  announcer.note(cameras({ a: "stale", b: "stale", c: "stale" }), ["d"]);

  mock.timers.tick(1000);

  assert.match(place.textContent, /^4 /);
});

test("a reason is announced with the state, or when it becomes known", () => {
  const announcer = new Announcer();
  announcer.note(cameras({ door: "live" }), []);
  announcer.note(cameras({ door: "no-signal" }), []);
  assert.match(announced(), /^door: No signal$/);

  announcer.note(cameras({ door: "no-signal" }, "wrong password"), []);

  assert.match(announced(), /^door: No signal, wrong password$/);
});

test("a reason is announced once, even if reasons alternate", () => {
  const announcer = new Announcer();
  announcer.note(cameras({ door: "connecting" }), []);
  announcer.note(cameras({ door: "never-seen" }, "refused"), []);
  announced();
  announcer.note(cameras({ door: "never-seen" }, "timed out"), []);
  assert.match(announced(), /timed out/);

  announcer.note(cameras({ door: "never-seen" }, "refused"), []);
  announcer.note(cameras({ door: "never-seen" }, "timed out"), []);

  assert.equal(announced(), "");
});

test("a reason is announced again after the camera was back", () => {
  const announcer = new Announcer();
  announcer.note(cameras({ door: "live" }), []);
  announcer.note(cameras({ door: "no-signal" }, "refused"), []);
  announcer.note(cameras({ door: "live" }), []);
  announced();

  announcer.note(cameras({ door: "no-signal" }, "refused"), []);

  assert.match(announced(), /refused/);
});
