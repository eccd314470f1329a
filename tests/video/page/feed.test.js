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
  received = [];
  ended = false;
  /** @type {((event: {data: FromWorker}) => void) | null} */
  onmessage = null;
  /** @type {((event: {message?: string}) => void) | null} */
  onerror = null;
  /** @type {(() => void) | null} */
  onmessageerror = null;

  constructor() {
    FakeWorker.last = this;
  }

  /** @param {ToWorker} message */
  postMessage(message) {
    this.received.push(message);
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
let kind = "text/plain; charset=utf-8";
/** @type {string[]} */
let requested;
/** @type {unknown[]} */
let reported;
/** @type {Record<string, () => void>} */
let events;
const browser = /** @type {Record<string, unknown>} */ (/** @type {unknown} */ (globalThis));
const NAMES = ["Worker", "OffscreenCanvas", "HTMLCanvasElement", "document", "window", "fetch"];
const before = new Map(NAMES.map((name) => [name, browser[name]]));

beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout"] });
  session = 200;
  kind = "text/plain; charset=utf-8";
  requested = [];
  reported = [];
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
    requested.push(url.href);
    const headers = new Map([["content-type", kind]]);
    return { status: session, ok: session === 200, headers, text: async () => "why\n" };
  };
});

afterEach(() => {
  mock.timers.reset();
  for (const [name, value] of before) browser[name] = value;
});

const open = () =>
  new Feed("ws", {
    cameras: (cameras, broker) => reported.push(["cameras", cameras.length, broker]),
    pictures: (news) => reported.push(["pictures", ...news.keys()]),
    away: (since) => reported.push(["away", since.getTime()]),
    loggedOut: () => reported.push(["logged out"]),
    failed: (why) => reported.push(["failed", why]),
    refused: (why) => reported.push(["refused", why]),
  });

const watched = () => FakeWorker.last.received.filter(({ type }) => type === "watch");

test("the socket's address is relative to the page", () => {
  open();

  assert.deepEqual(FakeWorker.last.received, [{ type: "open", url: "wss://host/cams/ws" }]);
});

test("changes of what is watched are sent together, and only if something has changed", () => {
  const feed = open();

  feed.watch(new Map([["door", 640]]));
  feed.watch(BOTH);
  mock.timers.tick(20);
  feed.watch(new Map([...BOTH].reverse()));
  mock.timers.tick(20);
  assert.deepEqual(watched(), [{ type: "watch", widths: BOTH }]);

  feed.watch(new Map([["door", 0]]));
  mock.timers.tick(20);
  assert.deepEqual(watched().at(-1), { type: "watch", widths: new Map([["door", 0]]) });
});

test("a map that the page changes later does not change what was sent", () => {
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

  const [, attached, detached] = FakeWorker.last.received;
  assert.deepEqual(attached, { type: "attach", name: "door", canvas: "offscreen" });
  assert.deepEqual(detached, { type: "detach", name: "door" });
});

test("cameras and pictures are passed on", () => {
  open();
  const news = { seq: 1, age_ms: 20, width: 64, height: 48, fps: 15 };

  FakeWorker.last.say({ type: "cameras", cameras: [], broker: "Kafka is away" });
  FakeWorker.last.say({ type: "pictures", pictures: new Map([["door", news]]) });

  assert.deepEqual(reported, [
    ["cameras", 0, "Kafka is away"],
    ["pictures", "door"],
  ]);
});

test("an absence is reported once, and again after the server has been back", () => {
  open();

  FakeWorker.last.say({ type: "away", since: SINCE });
  FakeWorker.last.say({ type: "away", since: SINCE });
  FakeWorker.last.say({ type: "cameras", cameras: [], broker: null });
  FakeWorker.last.say({ type: "away", since: SINCE + 9000 });

  const absences = [
    ["away", SINCE],
    ["cameras", 0, null],
    ["away", SINCE + 9000],
  ];
  assert.deepEqual(reported, absences);
});

test("a socket refused because of a missing login reports it once and is closed for good", async () => {
  open();
  session = 401;

  FakeWorker.last.say({ type: "away", since: SINCE });
  FakeWorker.last.say({ type: "away", since: SINCE });
  await new Promise((done) => setImmediate(done));

  assert.equal(requested[0], "https://host/cams/api/session");
  assert.deepEqual(reported, [["away", SINCE], ["logged out"]]);
  assert.ok(FakeWorker.last.ended);
});

test("the absence of the server does not lead to the login", async () => {
  open();
  browser.fetch = () => Promise.reject(new TypeError("Failed to fetch"));

  FakeWorker.last.say({ type: "away", since: SINCE });
  await new Promise((done) => setImmediate(done));

  assert.deepEqual(reported, [["away", SINCE]]);
});

/** One more socket has not opened. */
async function fail() {
  FakeWorker.last.say({ type: "away", since: SINCE });
  await new Promise((done) => setImmediate(done));
}

test("if the server answers but three sockets in a row do not open, it is asked why", async () => {
  open();

  await fail();
  await fail();
  assert.deepEqual(reported, [["away", SINCE]]);
  await fail();

  assert.equal(requested.at(-1), "https://host/cams/ws");
  assert.deepEqual(reported.at(-1), ["refused", "why"]);
});

test("it is not asked if it did not answer, or a socket opened, in between", async () => {
  open();

  const opens = () => FakeWorker.last.say({ type: "cameras", cameras: [], broker: null });
  for (const between of [() => (session = 502), opens]) {
    await fail();
    await fail();
    between();
    await fail();
    session = 200;
  }

  assert.ok(!requested.includes("https://host/cams/ws"));
});

test("the page of a proxy is not taken for the server's words", async () => {
  open();
  kind = "text/html";

  for (let number = 0; number < 4; number += 1) await fail();

  assert.deepEqual(reported, [["away", SINCE]]);
});

test("when the network or the user comes back, the server is tried immediately", () => {
  open();

  events.online();
  events.visibilitychange();

  assert.deepEqual(FakeWorker.last.received.slice(1), [{ type: "retry" }, { type: "retry" }]);
});

test("a worker that cannot be loaded is reported, and loaded again until it runs", () => {
  open();

  for (let run = 0; run < 3; run++) {
    const worker = FakeWorker.last;
    worker.onerror?.({});
    assert.ok(worker.ended);
    mock.timers.tick(2000);
    assert.notEqual(FakeWorker.last, worker);
  }
  FakeWorker.last.say({ type: "cameras", cameras: [], broker: null });

  assert.deepEqual(FakeWorker.last.received, [{ type: "open", url: "wss://host/cams/ws" }]);
  assert.deepEqual(
    reported.map((each) => /** @type {unknown[]} */ (each)[0]),
    ["failed", "failed", "failed", "cameras"],
  );
});

test("errors of a worker that runs are reported, and it runs on", () => {
  open();
  const worker = FakeWorker.last;
  worker.say({ type: "cameras", cameras: [], broker: null });

  worker.onerror?.({ message: "TypeError: x" });
  worker.onmessageerror?.();
  worker.say({ type: "failed", why: "a picture" });
  mock.timers.tick(5000);

  assert.equal(FakeWorker.last, worker);
  assert.ok(!worker.ended);
  const [, ...failures] = reported;
  assert.deepEqual(failures, [
    ["failed", "TypeError: x"],
    ["failed", "a message from the worker could not be read"],
    ["failed", "a picture"],
  ]);
});

test("a browser that cannot draw in a worker is recognised, and nothing breaks", () => {
  browser.HTMLCanvasElement = class {};

  const feed = open();
  feed.attach("door", /** @type {HTMLCanvasElement} */ (/** @type {unknown} */ ({})));
  feed.watch(new Map([["door", 1]]));
  mock.timers.tick(20);

  assert.equal(feed.supported, false);
});
