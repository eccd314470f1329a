import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { Feed } from "../../../video/page/live/feed.js";

/** @typedef {import("../../../video/page/live/types.js").FromWorker} FromWorker */
/** @typedef {import("../../../video/page/live/types.js").ToWorker} ToWorker */

const BOTH = new Map([
  ["door", 640],
  ["yard", 320],
]);
const SINCE = Date.UTC(2026, 10, 21, 12, 3, 7);

class FakeWorker {
  /** @type {FakeWorker} */
  static last;
  /** @type {ToWorker[]} */
  heard = [];
  ended = false;
  /** @type {((event: {data: FromWorker}) => void) | null} */
  onmessage = null;
  /** @type {(() => void) | null} */
  onerror = null;

  constructor() {
    FakeWorker.last = this;
  }

  /** @param {ToWorker} message */
  postMessage(message) {
    this.heard.push(message);
  }

  terminate() {
    this.ended = true;
  }

  /** @param {FromWorker} data */
  say(data) {
    this.onmessage?.({ data });
  }
}

class FakeCanvas {
  transferControlToOffscreen() {
    return "offscreen";
  }
}

let session = 200;
/** @type {string[]} */
let asked;
/** @type {unknown[]} */
let told;
/** @type {Record<string, () => void>} */
let events;
const browser = /** @type {Record<string, unknown>} */ (/** @type {unknown} */ (globalThis));
const NAMES = ["Worker", "OffscreenCanvas", "HTMLCanvasElement", "document", "window", "fetch"];
const before = new Map(NAMES.map((name) => [name, browser[name]]));

beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout"] });
  session = 200;
  asked = [];
  told = [];
  events = {};
  const target = {
    addEventListener: (/** @type {string} */ name, /** @type {() => void} */ act) => (events[name] = act),
  };
  browser.Worker = FakeWorker;
  browser.OffscreenCanvas = class {};
  browser.HTMLCanvasElement = FakeCanvas;
  browser.window = target;
  browser.document = { ...target, hidden: false, baseURI: "https://host/cams/?camera=door" };
  browser.fetch = async (/** @type {URL} */ url) => {
    asked.push(url.href);
    return { status: session };
  };
});

afterEach(() => {
  mock.timers.reset();
  for (const [name, value] of before) browser[name] = value;
});

const open = () =>
  new Feed("ws", {
    cameras: (cameras) => told.push(["cameras", cameras.length]),
    pictures: (news) => told.push(["pictures", ...news.keys()]),
    away: (since) => told.push(["away", since.getTime()]),
    loggedOut: () => told.push(["logged out"]),
  });

const watched = () => FakeWorker.last.heard.filter(({ type }) => type === "watch");

test("the socket is beside the page, wherever that is", () => {
  open();

  assert.deepEqual(FakeWorker.last.heard, [{ type: "open", url: "wss://host/cams/ws" }]);
});

test("what is wanted is said once for all changes together, and only when it changed", () => {
  const feed = open();

  feed.watch(new Map([["door", 640]]));
  feed.watch(BOTH);
  mock.timers.tick(20);
  feed.watch(new Map([...BOTH].reverse()));
  mock.timers.tick(20);
  assert.deepEqual(watched(), [{ type: "watch", wanted: BOTH }]);

  feed.watch(new Map([["door", 0]]));
  mock.timers.tick(20);
  assert.deepEqual(watched().at(-1), { type: "watch", wanted: new Map([["door", 0]]) });
});

test("a map that the page goes on changing is not what was wanted", () => {
  const feed = open();
  const wanted = new Map([["door", 640]]);
  feed.watch(wanted);
  mock.timers.tick(20);

  wanted.set("door", 0);
  feed.watch(wanted);
  mock.timers.tick(20);

  assert.equal(watched().length, 2);
});

test("canvases go to the worker", () => {
  const feed = open();

  feed.attach("door", /** @type {HTMLCanvasElement} */ (/** @type {unknown} */ (new FakeCanvas())));
  feed.detach("door");

  const [, attached, detached] = FakeWorker.last.heard;
  assert.deepEqual(attached, { type: "attach", name: "door", canvas: "offscreen" });
  assert.deepEqual(detached, { type: "detach", name: "door" });
});

test("cameras and pictures are passed on", () => {
  open();
  const news = { seq: 1, age_ms: 20, width: 64, height: 48, fps: 15 };

  FakeWorker.last.say({ type: "cameras", cameras: [] });
  FakeWorker.last.say({ type: "pictures", pictures: new Map([["door", news]]) });

  assert.deepEqual(told, [
    ["cameras", 0],
    ["pictures", "door"],
  ]);
});

test("an absence is told once, and again after the server was back", () => {
  open();

  FakeWorker.last.say({ type: "away", since: SINCE });
  FakeWorker.last.say({ type: "away", since: SINCE });
  FakeWorker.last.say({ type: "cameras", cameras: [] });
  FakeWorker.last.say({ type: "away", since: SINCE + 9000 });

  const absences = [
    ["away", SINCE],
    ["cameras", 0],
    ["away", SINCE + 9000],
  ];
  assert.deepEqual(told, absences);
});

test("a socket refused for want of a login says so, once, and is given up", async () => {
  open();
  session = 401;

  FakeWorker.last.say({ type: "away", since: SINCE });
  FakeWorker.last.say({ type: "away", since: SINCE });
  await new Promise((done) => setImmediate(done));

  assert.equal(asked[0], "https://host/cams/api/session");
  assert.deepEqual(told, [["away", SINCE], ["logged out"]]);
  assert.ok(FakeWorker.last.ended);
});

test("a server that is away is no reason to log in", async () => {
  open();
  browser.fetch = () => Promise.reject(new TypeError("Failed to fetch"));

  FakeWorker.last.say({ type: "away", since: SINCE });
  await new Promise((done) => setImmediate(done));

  assert.deepEqual(told, [["away", SINCE]]);
});

test("when the network is back, or the page is looked at again, the server is tried at once", () => {
  open();

  events.online();
  events.visibilitychange();

  assert.deepEqual(FakeWorker.last.heard.slice(1), [{ type: "retry" }, { type: "retry" }]);
});

test("a worker whose file does not come is an absence too", () => {
  open();

  FakeWorker.last.onerror?.();

  assert.equal(told.length, 1);
});

test("a browser that cannot draw away from the page's thread is told apart, and nothing breaks", () => {
  browser.HTMLCanvasElement = class {};

  const feed = open();
  feed.attach("door", /** @type {HTMLCanvasElement} */ (/** @type {unknown} */ ({})));
  feed.watch(new Map([["door", 1]]));
  mock.timers.tick(20);

  assert.equal(feed.supported, false);
});
