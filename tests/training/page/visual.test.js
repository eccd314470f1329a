import assert from "node:assert/strict";
import { test } from "node:test";

import { Classes } from "../../../training/page/visual/classes.js";
import { configOf } from "../../../training/page/visual/config.js";
import { Numbers } from "../../../training/page/visual/numbers.js";
import { Sent } from "../../../training/page/visual/sent.js";
import { addressOf, Predictions } from "../../../training/page/visual/socket.js";

/** What Kafka-ML's documentation shows, and its misspelling in one place. */
const ORIGINAL = {
  type: "classification",
  average_updated: true,
  average_window: 3,
  labels: [
    { id: 0, color: "#ff0000", label: "Zero" },
    { id: 1, color: "#00FF00", label: "One" },
  ],
};

test("nothing is a configuration, too", () => {
  assert.deepEqual(configOf(" \n"), { type: null, averageUpdated: false, averageWindow: 10, labels: [] });
});

test("Kafka-ML's JSON is read", () => {
  const { labels, ...config } = configOf(JSON.stringify(ORIGINAL));

  assert.deepEqual(config, { type: "classification", averageUpdated: true, averageWindow: 3 });
  assert.deepEqual(labels, ORIGINAL.labels);
  assert.equal(configOf('{"average_update": true}').averageUpdated, true);
});

test("labels need no more than their names", () => {
  const [first, second] = configOf('{"labels": [{"label": "door"}, {}]}').labels;

  assert.deepEqual([first.id, first.label, second.id, second.label], [0, "door", 1, "1"]);
  assert.match(first.color, /^#[0-9a-f]{6}$/);
});

test("what is wrong with a configuration is said", () => {
  for (const [words, part] of [
    ["{", "JSON"],
    ["[]", "JSON"],
    ['{"type": "other"}', "type"],
    ['{"average_window": 0}', "average_window"],
    ['{"labels": {}}', "labels"],
    ['{"labels": [{"id": "x"}]}', "id"],
    ['{"labels": [{"color": "red; background: url(x)"}]}', "color"],
  ]) {
    assert.throws(() => configOf(words), new RegExp(part));
  }
});

/** @param {object} config @param {number[]} ids */
function classes(config, ids) {
  const found = new Classes({ ...configOf(""), ...config });
  ids.forEach((id) => found.add(id));
  return found;
}

test("the current status is the newest class, and the four before are kept", () => {
  const found = classes({}, [7, 3, 3, 5, 9, 1]);

  assert.equal(found.current, 1);
  assert.deepEqual(found.last, [9, 5, 3, 3]);
  assert.equal(found.total, 6);
});

test("the average is the share of all predictions", () => {
  assert.deepEqual(classes({}, [7, 3, 3, 5]).shares, [[3, 0.5], [5, 0.25], [7, 0.25]]);
});

test("an averaged status is the class with the largest share", () => {
  const found = classes({ averageUpdated: true, averageWindow: 100 }, [1, 2, 2, 1, 1]);

  assert.equal(found.current, 1);
  assert.deepEqual(found.last, [2, 1]);
});

test("an averaged status that stays is repeated after each window", () => {
  const found = classes({ averageUpdated: true, averageWindow: 2 }, [1, 1, 1, 1, 1]);

  assert.deepEqual([found.current, found.last], [1, [1, 1]]);
});

test("numbers are lines by position", () => {
  const numbers = new Numbers();

  assert.ok(numbers.add('{"values": [1, 2]}'));
  assert.ok(numbers.add('{"values": [[[3]]]}'));
  assert.ok(numbers.add('{"values": [4, 5, 6]}'));

  assert.deepEqual(numbers.lines, [[1, 3, 4], [2, null, 5], [null, null, 6]]);
  assert.equal(numbers.total, 3);
});

test("what is no prediction is left out", () => {
  const numbers = new Numbers();

  for (const message of ["", "{}", "[]", "null", '{"values": []}', '{"values": ["x"]}']) assert.ok(!numbers.add(message));
  assert.deepEqual(numbers.lines, []);
});

test("only the newest numbers are kept", () => {
  const numbers = new Numbers();

  for (let at = 0; at < 800; at += 1) numbers.add(`{"values": [${at}]}`);

  assert.equal(numbers.lines[0].length, 500);
  assert.equal(numbers.lines[0][499], 799);
  assert.equal(numbers.total, 800);
});

test("the socket is next to the page", () => {
  assert.equal(addressOf("http://host:8080/#/visualisation"), "ws://host:8080/ws/");
  assert.equal(addressOf("https://host/training/"), "wss://host/training/ws/");
});

/** A socket that a test opens and closes. */
class FakeSocket extends EventTarget {
  /** @type {string[]} */
  sent = [];
  isClosed = false;

  /** @param {string} words */
  send(words) {
    this.sent.push(words);
  }

  close() {
    this.isClosed = true;
  }

  /** @param {string} type @param {object} [fields] */
  fire(type, fields = {}) {
    this.dispatchEvent(Object.assign(new Event(type), fields));
  }
}

/** @param {FakeSocket} socket */
function connected(socket) {
  /** @type {unknown[]} */
  const heard = [];
  const predictions = new Predictions(
    "answers",
    true,
    {
      opened: () => heard.push("opened"),
      heard: (prediction, headers) => heard.push([prediction, headers]),
      lost: () => heard.push("lost"),
      refused: (why) => heard.push(["refused", why]),
    },
    () => /** @type {WebSocket} */ (/** @type {unknown} */ (socket)),
  );
  return { heard, predictions };
}

test("it asks for the topic, and passes on what comes", () => {
  const socket = new FakeSocket();
  const { heard, predictions } = connected(socket);

  socket.fire("open");
  socket.fire("message", { data: '{"prediction": "7", "headers": {"digit": "a"}}' });
  predictions.close();
  socket.fire("message", { data: '{"prediction": "8", "headers": {}}' });

  assert.deepEqual(socket.sent.map((each) => JSON.parse(each)), [{ topic: "answers", classification: true, headers: true }]);
  assert.deepEqual(heard, ["opened", ["7", { digit: "a" }]]);
  assert.ok(socket.isClosed);
});

test("a connection that is lost is made again, unless the server has said why", () => {
  const lost = connected(new FakeSocket());
  const socket = new FakeSocket();
  const refused = connected(socket);
  socket.fire("close", { code: 1013, reason: "50 pages watch already" });
  assert.deepEqual(refused.heard, [["refused", "50 pages watch already"]]);

  const other = new FakeSocket();
  const again = connected(other);
  other.fire("close", { code: 1006, reason: "" });

  assert.deepEqual(again.heard, ["lost"]);
  for (const each of [lost, refused, again]) each.predictions.close();
});

test("each digit gets its own prediction, in whatever order they come", () => {
  const sent = new Sent();
  sent.hear("b", "4"); // before it is known what was sent
  sent.digits = [
    { id: "a", label: 7, pixels: [] },
    { id: "b", label: 4, pixels: [] },
    { id: "c", label: 1, pixels: [] },
  ];
  assert.deepEqual([sent.answered, sent.right], [1, 1]);

  sent.hear("c", "0");
  sent.hear("of another page", "7");
  sent.hear(null, "7");
  sent.hear("a", "no class");
  assert.deepEqual(sent.digits.map((digit) => sent.saidOf(digit)), [null, 4, 0]);

  sent.hear("a", "7");
  assert.deepEqual([sent.answered, sent.right], [3, 2]);
});
