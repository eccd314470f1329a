import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { Decoder } from "../../../video/page/live/decoder.js";
import { randomFrom } from "./random.js";

/** @typedef {import("../../../video/page/live/wire.js").Picture} Picture */

const GARBAGE = 0xee;
const HUGE = 0xef;
const CAMERAS = [
  { id: 1, name: "door" },
  { id: 2, name: "yard" },
];

/** The test decides when decoding ends. An image is its picture's number; a canvas is a list of such numbers. */
class Bench {
  /** @type {(() => void)[]} */
  decoding = [];
  /** @type {string[]} */
  acks = [];
  /** @type {number[]} */
  dropped = [];
  /** @type {string[]} */
  failed = [];
  now = 10_000;
  /** @type {number[]} */
  door = [];
  /** @type {number[]} */
  yard = [];
  /** @type {Decoder<number[], number>} */
  decoder = new Decoder({
    decode: (jpeg) =>
      new Promise((done, fail) => {
        this.decoding.push(() => (jpeg[0] === GARBAGE ? fail(new Error("broken")) : done(jpeg[0])));
      }),
    draw: (canvas, image) => {
      if (image === HUGE) throw new Error("too large");
      canvas.push(image);
    },
    drop: (image) => this.dropped.push(image),
    ack: (id, number) => this.acks.push(`${id}:${number}`),
    failed: (camera, error) => this.failed.push(`${camera}: ${error}`),
    now: () => this.now,
  });

  constructor() {
    this.decoder.know(CAMERAS);
    this.decoder.attach("door", this.door);
    this.decoder.attach("yard", this.yard);
  }

  /** End the oldest decoding. */
  async finish() {
    this.decoding.shift()?.();
    await new Promise((done) => setImmediate(done));
  }

  async finishAll() {
    while (this.decoding.length) await this.finish();
  }
}

/** @param {number} id @param {number} number @returns {Picture} */
const picture = (id, number, first = number) => ({
  scale: 1,
  id,
  number,
  seq: 100 + number,
  captured: 9_950,
  width: 64,
  height: 48,
  jpeg: new Uint8Array([first]),
});

/** @type {Bench} */
let bench;

beforeEach(() => {
  bench = new Bench();
});

test("a picture is drawn, then acknowledged, then reported", async () => {
  bench.decoder.take(picture(1, 7));
  assert.deepEqual(bench.acks, [], "not before it is drawn");

  await bench.finish();

  assert.deepEqual(bench.door, [7]);
  assert.deepEqual(bench.acks, ["1:7"]);
  const news = { seq: 107, age_ms: 50, width: 64, height: 48, fps: NaN };
  assert.deepEqual(bench.decoder.news(), new Map([["door", news]]));
  assert.equal(bench.decoder.news().size, 0, "news is reported once");
});

test("while one is being decoded, only the newest waits", async () => {
  for (const number of [1, 2, 3, 4]) bench.decoder.take(picture(1, number));

  await bench.finishAll();

  assert.deepEqual(bench.door, [1, 4]);
  assert.deepEqual(bench.acks, ["1:1", "1:4"]);
});

test("a camera whose picture takes long to decode does not delay the others", async () => {
  bench.decoder.take(picture(1, 1));
  bench.decoder.take(picture(2, 5));
  const [slow] = bench.decoding.splice(0, 1);

  await bench.finishAll();

  assert.deepEqual(bench.yard, [5]);
  slow();
});

test("a broken picture is acknowledged, reported and left out", async () => {
  bench.decoder.take(picture(1, 1, GARBAGE));
  bench.decoder.take(picture(1, 2));

  await bench.finishAll();

  assert.deepEqual(bench.door, [2]);
  assert.deepEqual(bench.acks, ["1:1", "1:2"]);
  assert.deepEqual(bench.failed, ["door: Error: broken"]);
});

test("after a picture that cannot be drawn, the next one is drawn", async () => {
  bench.decoder.take(picture(1, 1, HUGE));
  await bench.finish();
  bench.decoder.take(picture(1, 2));

  await bench.finishAll();

  assert.deepEqual(bench.door, [2]);
  assert.deepEqual(bench.acks, ["1:1", "1:2"]);
});

test("pictures of unknown cameras, and without a canvas, are acknowledged and not decoded", async () => {
  bench.decoder.detach("door");

  bench.decoder.take(picture(1, 1));
  bench.decoder.take(picture(9, 1));

  assert.equal(bench.decoding.length, 0);
  await bench.finish();
  assert.deepEqual(bench.acks, ["1:1", "9:1"]);
});

test("a picture is dropped if its canvas is detached while it is being decoded", async () => {
  bench.decoder.take(picture(1, 1));
  bench.decoder.detach("door");

  await bench.finishAll();

  assert.deepEqual(bench.dropped, [1]);
  assert.deepEqual(bench.acks, ["1:1"]);
  assert.equal(bench.decoder.news().size, 0);
});

test("there is no news of a detached canvas", async () => {
  bench.decoder.take(picture(1, 1));
  await bench.finish();

  bench.decoder.detach("door");

  assert.equal(bench.decoder.news().size, 0);
});

test("a camera that was removed and comes back starts with an empty canvas", async () => {
  bench.decoder.take(picture(1, 7));
  bench.decoder.detach("door");
  bench.decoder.know([]);
  const fresh = /** @type {number[]} */ ([]);
  bench.decoder.attach("door", fresh);
  bench.decoder.know([{ id: 3, name: "door" }]);
  await bench.finish();
  assert.deepEqual([fresh, bench.dropped], [[], [7]]);

  bench.decoder.take(picture(3, 1));
  await bench.finish();

  assert.deepEqual(fresh, [1]);
  assert.deepEqual(bench.decoder.news().get("door")?.fps, NaN, "the pace is not that of the old pictures");
});

test("on a new connection nothing of the old one is drawn or acknowledged", async () => {
  bench.decoder.take(picture(1, 8));
  bench.decoder.take(picture(1, 9));
  bench.decoder.restart();
  bench.decoder.know([{ id: 1, name: "yard" }]);
  bench.decoder.take(picture(1, 1));

  await bench.finishAll();

  assert.deepEqual([bench.door, bench.yard], [[], [1]]);
  assert.deepEqual(bench.acks, ["1:1"]);
});

test("the pace is measured over the last two seconds", async () => {
  for (let number = 0; number < 50; number++) {
    bench.now += number < 20 ? 40 : 100;
    bench.decoder.take(picture(1, number));
    await bench.finish();
  }

  const fps = bench.decoder.news().get("door")?.fps ?? 0;

  assert.ok(Math.abs(fps - 10) < 0.01, String(fps));
});

test("two pictures in quick succession do not make a pace yet", async () => {
  for (const number of [1, 2, 3]) {
    bench.now += 200;
    bench.decoder.take(picture(1, number));
    await bench.finish();
  }

  assert.deepEqual(bench.decoder.news().get("door")?.fps, NaN);
});

test("whatever the order of events, pictures go forward and all are acknowledged", async () => {
  for (let seed = 0; seed < 50; seed++) {
    const random = randomFrom(seed);
    bench = new Bench();
    const last = [0, 0, 0];
    for (let step = 0; step < 60; step++) {
      const id = random() < 0.5 ? 1 : 2;
      if (random() < 0.6) bench.decoder.take(picture(id, ++last[id], random() < 0.1 ? GARBAGE : last[id]));
      else await bench.finish();
    }

    await bench.finishAll();

    for (const drawn of [bench.door, bench.yard]) {
      assert.deepEqual(drawn, [...new Set(drawn)].sort((a, b) => a - b));
    }
    for (const id of [1, 2]) {
      const acks = bench.acks.filter((ack) => ack.startsWith(`${id}:`)).map((ack) => Number(ack.slice(2)));
      assert.deepEqual(acks, [...new Set(acks)].sort((a, b) => a - b));
      assert.equal(acks.at(-1) ?? 0, last[id]);
    }
  }
});
