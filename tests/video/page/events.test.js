import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

import { Events } from "../../../video/page/events.js";

/** A stream of events that the test opens and ends. */
class FakeSource {
  static CLOSED = 2;
  /** @type {FakeSource[]} */
  static all = [];
  readyState = 1;
  /** @type {Record<string, (event: {data: string}) => void>} */
  #listeners = {};

  /** @param {string} url */
  constructor(url) {
    this.url = url;
    FakeSource.all.push(this);
  }

  /** @param {string} name @param {(event: {data: string}) => void} act */
  addEventListener(name, act) {
    this.#listeners[name] = act;
  }

  /** @param {string} name */
  emit(name, data = "") {
    this.#listeners[name]({ data });
  }

  close() {
    this.readyState = 2;
  }
}

const browser = /** @type {Record<string, unknown>} */ (/** @type {unknown} */ (globalThis));
const NAMES = ["EventSource", "document", "window", "fetch"];
const before = new Map(NAMES.map((name) => [name, browser[name]]));
/** @type {EventTarget & {hidden: boolean}} */
let page;
/** @type {unknown[]} */
let received;
/** @type {string[]} */
let requested;

beforeEach(() => {
  FakeSource.all = [];
  page = Object.assign(new EventTarget(), { hidden: false });
  received = [];
  requested = [];
  browser.EventSource = FakeSource;
  browser.document = page;
  browser.window = { setTimeout, clearTimeout };
  browser.fetch = async (/** @type {string} */ url) => {
    requested.push(url);
    return { ok: true, json: async () => ["an earlier event"] };
  };
});

afterEach(() => {
  for (const [name, value] of before) browser[name] = value;
});

const open = () => new Events("door", 50, (events) => received.push(...events));
const settle = () => new Promise((done) => setImmediate(done));

test("earlier events are requested once the stream is open, and new ones are passed on", async () => {
  open();
  const [source] = FakeSource.all;
  assert.deepEqual(requested, []);

  source.emit("open");
  await settle();
  source.emit("label", '"a new event"');

  assert.equal(requested.length, 1);
  assert.deepEqual(received, ["an earlier event", "a new event"]);
});

test("a hidden page holds no stream open", () => {
  open();

  page.hidden = true;
  page.dispatchEvent(new Event("visibilitychange"));
  assert.equal(FakeSource.all[0].readyState, 2);

  page.hidden = false;
  page.dispatchEvent(new Event("visibilitychange"));
  assert.equal(FakeSource.all.length, 2);
});

test("once closed, nothing is received and nothing is opened again", async () => {
  const events = open();
  const [source] = FakeSource.all;
  source.emit("open");

  events.close();
  await settle();
  page.dispatchEvent(new Event("visibilitychange"));

  assert.equal(source.readyState, 2);
  assert.deepEqual(received, [], "an answer that was on its way comes too late");
  assert.equal(FakeSource.all.length, 1);
});
