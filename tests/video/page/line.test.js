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

  /** Like a browser, whichever side closes. */
  close() {
    this.readyState = 3;
    this.onclose?.();
  }
}

/** @type {FakeSocket[]} */
let sockets;
/** @type {string[]} */
let events;
/** @type {Line} */
let line;

beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now: START });
  mock.method(Math, "random", () => 1); // the longest waits
  sockets = [];
  events = [];
  line = new Line(
    "ws://server/ws",
    {
      opened: () => events.push("opened"),
      received: (data) => events.push(`received ${data}`),
      away: (since) => events.push(`away since ${since - START}`),
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

test("messages are received and sent", () => {
  sockets[0].open();
  sockets[0].say("hello");
  line.send("watch");

  assert.deepEqual(events, ["opened", "received hello"]);
  assert.deepEqual(sockets[0].sent, ["watch"]);
});

test("nothing is sent before there is a connection", () => {
  line.send("watch");

  assert.deepEqual(sockets[0].sent, []);
});

test("a server that is away is tried less and less often, but at least every two seconds", () => {
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
  assert.deepEqual(waits.slice(0, 4), [500, 800, 1300, 2000]);
  assert.ok(waits.slice(3).every((wait) => wait === 2000));
});

test("waits vary, so that browsers do not all come back at the same time", () => {
  mock.restoreAll();
  mock.method(Math, "random", () => 0);
  sockets[0].close();

  pass(400);

  assert.equal(sockets.length, 2);
});

test("an absence begins with the server's last message, however many attempts follow", () => {
  sockets[0].open();
  pass(1000);
  sockets[0].say("last words");
  pass(700);
  sockets[0].close();
  pass(500);
  sockets[1].close();

  assert.deepEqual(events, ["opened", "received last words", "away since 1000", "away since 1000"]);
});

test("each absence has its own beginning", () => {
  sockets[0].close();
  pass(1000);
  sockets[1].open();
  sockets[1].say("back");
  pass(200);
  sockets[1].close();

  assert.deepEqual(events, ["away since 0", "opened", "received back", "away since 1000"]);
});

test("a connection that opens and breaks immediately is not retried without a delay", () => {
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

test("after a message from the server, the next attempt is made soon", () => {
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

test("a server that is silent for three seconds is away, and is tried again", () => {
  sockets[0].open();
  pass(2900);
  sockets[0].say("still here");
  pass(2900);
  assert.ok(!events.at(-1)?.startsWith("away"));

  pass(1100);

  assert.equal(events.at(-1), "away since 2900");
  assert.equal(sockets[0].readyState, 3);
  assert.equal(sockets.length, 2);
});

test("a connection that takes longer than ten seconds to open is abandoned", () => {
  pass(9900);
  assert.equal(sockets[0].readyState, 0);

  pass(700);

  assert.equal(sockets[0].readyState, 3);
});

test("after a computer has slept, the server gets time to answer", () => {
  sockets[0].open();
  sockets[0].say("good night");
  mock.timers.setTime(START + 3_600_000);
  pass(500);
  assert.equal(sockets[0].readyState, 1);

  pass(3500);

  assert.equal(sockets[0].readyState, 3, "dead after all");
});

test("a retry is immediate, and made only without a connection", () => {
  line.retry();
  assert.equal(sockets.length, 1);
  sockets[0].close();

  line.retry();
  pass(600);

  assert.equal(sockets.length, 2);
});

test("messages from an abandoned socket are ignored", () => {
  sockets[0].open();
  sockets[0].close();

  sockets[0].say("ghost");

  assert.ok(!events.includes("received ghost"));
});
