import assert from "node:assert/strict";
import { test } from "node:test";

import { readPicture, writeAck, writeTime, writeWatch } from "../../../video/page/live/wire.js";
import { randomFrom } from "./random.js";

/** @param {number[]} bytes */
const message = (bytes) => new Uint8Array(bytes).buffer;

// One as the server writes it, byte by byte: camera 3's frame 17, at half size.
const KNOWN = [
  [1, 2, 0, 3], // kind, scale, id
  [0, 0, 0, 17], // number
  [0, 0, 0, 0, 0, 0, 0x12, 0x67], // seq 4711
  [0x18, 0xea, 0x24, 0xec, 0x9c, 0xe1, 0x4d, 0x15], // captured 1795288000123456789 ns
  [0x02, 0x80, 0x01, 0x68], // 640 x 360
  [0xff, 0xd8, 0xff, 0xd9], // the JPEG
].flat();

test("a picture is read the way the server writes it", () => {
  const picture = readPicture(message(KNOWN));

  assert.deepEqual(picture, {
    scale: 2,
    id: 3,
    number: 17,
    seq: 4711,
    captured: 1795288000123.456,
    width: 640,
    height: 360,
    jpeg: new Uint8Array([0xff, 0xd8, 0xff, 0xd9]),
  });
});

test("every value in a picture's header is read back", () => {
  const random = randomFrom(6);
  const below = (/** @type {number} */ limit) => Math.floor(random() * limit);

  for (let run = 0; run < 500; run++) {
    const wanted = {
      scale: 2 ** below(4),
      id: below(2 ** 16),
      number: below(2 ** 32),
      seq: below(2 ** 53),
      captured: 1.7e12 + below(1e12) + below(1000) / 1000,
      width: below(2 ** 16),
      height: below(2 ** 16),
      jpeg: new Uint8Array(below(50)).map(() => below(256)),
    };
    const bytes = new Uint8Array(28 + wanted.jpeg.length);
    const head = new DataView(bytes.buffer);
    head.setUint8(0, 1);
    head.setUint8(1, wanted.scale);
    head.setUint16(2, wanted.id);
    head.setUint32(4, wanted.number);
    head.setBigUint64(8, BigInt(wanted.seq));
    head.setBigUint64(16, BigInt(Math.round(wanted.captured * 1000)) * 1000n);
    head.setUint16(24, wanted.width);
    head.setUint16(26, wanted.height);
    bytes.set(wanted.jpeg, 28);

    const picture = readPicture(bytes.buffer);

    assert.ok(picture);
    assert.ok(Math.abs(picture.captured - wanted.captured) < 0.002, "to the microsecond");
    assert.deepEqual({ ...picture, captured: wanted.captured }, wanted);
  }
});

test("truncated messages and other kinds are not pictures", () => {
  for (let length = 0; length < 28; length++) {
    assert.equal(readPicture(message(KNOWN.slice(0, length))), null);
  }
  assert.equal(readPicture(message([2, ...KNOWN.slice(1)])), null);
});

test("any camera's name can be watched", () => {
  const wanted = new Map([
    ["door", 640],
    ["__proto__", 1],
    ['<b>é</b>/"yard"', 0],
    ["🦊", 320],
    ["7", 64],
  ]);

  const said = JSON.parse(writeWatch(wanted));

  assert.equal(said.type, "watch");
  assert.deepEqual(Object.entries(said.cameras).sort(), [...wanted].sort());
});

test("acknowledgements and requests for the time are short JSON", () => {
  assert.deepEqual(JSON.parse(writeAck(3, 2 ** 32 - 1)), { type: "ack", id: 3, number: 4294967295 });
  assert.deepEqual(JSON.parse(writeTime(12345.6)), { type: "time", echo: 12345.6 });
});
