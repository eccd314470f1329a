import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { Line } from "../../../video/page/live/line.js";

const START = 1_795_288_000_000;

class FakeSocket {
  readyState = 0;
  /** @type {string[]} */
  sent = [];
  /** @type {(() => void) | null} */
  onopen = null;
  /** @type {((event: {data: string}) => void) | null} */
  onmessage = null;
  /** @type {(() => void) | null} */
  onclose = null;

  open() {
    this.readyState = 1;
    this.onopen?.();
  }

  /** @param {string} data */
  say(data) {
    this.onmessage?.({ data });
  }

  /** @param {string} text */
  send(text) {
    this.sent.push(text);
  }

  /** As a browser does, for either side's closing. */
  close() {
    this.readyState = 3;
    this.onclose?.();
  }
}

/** @type {FakeSocket[]} */
let sockets;
/** @type {string[]} */
let told;
/** @type {Line} */
let line;

beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now: START });
  mock.method(Math, "random", () => 1); // the longest waits
  sockets = [];
  told = [];
  line = new Line(
    "ws://server/ws",
    {
      opened: () => told.push("opened"),
      received: (data) => told.push(`heard ${data}`),
      away: (since) => told.push(`away since ${since - START}`),
    },
    () => {
      const socket = new FakeSocket();
      sockets.push(socket);
      return /** @type {WebSocket} */ (/** @type {unknown} */ (socket));
    },
  );
});

afterEach(() => {
  mock.timers.reset();
  mock.restoreAll();
});

/** @param {number} ms in the small steps of a computer that does not sleep */
function pass(ms) {
  for (let step = 0; step < ms; step += 100) mock.timers.tick(100);
}

test("what the server says is heard, and what is said is sent", () => {
  sockets[0].open();
  sockets[0].say("hello");
  line.send("watch");

  assert.deepEqual(told, ["opened", "heard hello"]);
  assert.deepEqual(sockets[0].sent, ["watch"]);
});

test("nothing is sent before there is a connection", () => {
  line.send("watch");

  assert.deepEqual(sockets[0].sent, []);
});

test("a server that is away is asked ever less often, at least each five seconds", () => {
  /** @type {number[]} */
  const tries = [];
  for (let time = 0; time < 60_000; time += 100) {
    const socket = sockets.at(-1);
    if (socket?.readyState === 0) {
      tries.push(time);
      socket.close();
    }
    pass(100);
  }

  const waits = tries.slice(1).map((time, at) => time - tries[at]);
  assert.deepEqual(waits.slice(0, 4), [500, 800, 1300, 2100]);
  assert.ok(waits.slice(5).every((wait) => wait === 5000));
});

test("waits vary, so that not all browsers come back at once", () => {
  mock.restoreAll();
  mock.method(Math, "random", () => 0);
  sockets[0].close();

  pass(400);

  assert.equal(sockets.length, 2);
});

test("it is away since the server was last heard, however often it is tried", () => {
  sockets[0].open();
  pass(1000);
  sockets[0].say("last words");
  pass(700);
  sockets[0].close();
  pass(500);
  sockets[1].close();

  assert.deepEqual(told, ["opened", "heard last words", "away since 1000", "away since 1000"]);
});

test("each absence has its own beginning", () => {
  sockets[0].close();
  pass(1000);
  sockets[1].open();
  sockets[1].say("back");
  pass(200);
  sockets[1].close();

  assert.deepEqual(told, ["away since 0", "opened", "heard back", "away since 1000"]);
});

test("a connection that opens and breaks at once is not tried ever so fast", () => {
  for (const wait of [500, 800, 1300]) {
    sockets.at(-1)?.open();
    sockets.at(-1)?.close();
    const before = sockets.length;
    pass(wait - 100);
    assert.equal(sockets.length, before);
    pass(100);
    assert.equal(sockets.length, before + 1);
  }
});

test("after words from the server, the next try comes soon again", () => {
  for (let run = 0; run < 5; run++) {
    sockets.at(-1)?.close();
    pass(5000);
  }
  sockets.at(-1)?.open();
  sockets.at(-1)?.say("hello");
  const before = sockets.length;

  sockets.at(-1)?.close();
  pass(500);

  assert.equal(sockets.length, before + 1);
});

test("a server that falls silent for three seconds is away, and tried anew", () => {
  sockets[0].open();
  pass(2900);
  sockets[0].say("still here");
  pass(2900);
  assert.ok(!told.at(-1)?.startsWith("away"));

  pass(1100);

  assert.equal(told.at(-1), "away since 2900");
  assert.equal(sockets[0].readyState, 3);
  assert.equal(sockets.length, 2);
});

test("a connection that takes longer than ten seconds to open is given up", () => {
  pass(9900);
  assert.equal(sockets[0].readyState, 0);

  pass(700);

  assert.equal(sockets[0].readyState, 3);
});

test("a computer that slept listens before it judges", () => {
  sockets[0].open();
  sockets[0].say("good night");
  mock.timers.setTime(START + 3_600_000);
  pass(500);
  assert.equal(sockets[0].readyState, 1);

  pass(3500);

  assert.equal(sockets[0].readyState, 3, "dead after all");
});

test("a retry comes at once, and only without a connection", () => {
  line.retry();
  assert.equal(sockets.length, 1);
  sockets[0].close();

  line.retry();
  pass(600);

  assert.equal(sockets.length, 2);
});

test("what a socket says after it was given up is not heard", () => {
  sockets[0].open();
  sockets[0].close();

  sockets[0].say("ghost");

  assert.ok(!told.includes("heard ghost"));
});
