import assert from "node:assert/strict";
import { test } from "node:test";

import { contextOf, draw } from "../../../video/page/live/image.js";

const MODULE = "../../../video/page/live/image.js";

/** Like a canvas in a worker in Firefox: it returns its context only once. */
class FakeCanvas {
  width = 300;
  height = 150;
  /** @type {unknown[]} */
  drawn = [];
  #given = false;

  getContext() {
    if (this.#given) throw new Error("Cannot update created context to different thread");
    this.#given = true;
    return { canvas: this, drawImage: (/** @type {unknown} */ image) => this.drawn.push(image) };
  }
}

class FakeImage {
  closed = false;

  /** @param {number} width @param {number} height */
  constructor(width, height) {
    this.width = width;
    this.height = height;
  }

  close() {
    this.closed = true;
  }
}

/** @param {FakeCanvas} canvas */
const contextOfFake = (canvas) => contextOf(/** @type {OffscreenCanvas} */ (/** @type {unknown} */ (canvas)));

/** @param {OffscreenCanvasRenderingContext2D} context @param {FakeImage} image */
const drawFake = (context, image) => draw(context, /** @type {ImageBitmap} */ (image));

test("every picture is drawn with the same context, and the canvas takes its size", () => {
  const canvas = new FakeCanvas();
  const images = [new FakeImage(64, 48), new FakeImage(64, 48), new FakeImage(32, 24)];

  const context = contextOfFake(canvas);
  for (const image of images) drawFake(context, image);

  assert.deepEqual(canvas.drawn, images);
  assert.deepEqual([canvas.width, canvas.height], [32, 24]);
  assert.ok(images.every(({ closed }) => closed));
});

test("an image that cannot be drawn is also closed", () => {
  const context = contextOfFake(new FakeCanvas());
  context.drawImage = () => {
    throw new Error("too large");
  };
  const image = new FakeImage(64, 48);

  assert.throws(() => drawFake(context, image), /too large/);

  assert.ok(image.closed);
});

test("a browser without 2d contexts is an error", () => {
  const canvas = /** @type {OffscreenCanvas} */ (/** @type {unknown} */ ({ getContext: () => null }));

  assert.throws(() => contextOf(canvas), /2d/);
});

test("a JPEG that the direct decoder fails at is decoded as a blob", async () => {
  const browser = /** @type {Record<string, unknown>} */ (/** @type {unknown} */ (globalThis));
  browser.ImageDecoder = class {
    decode = () => Promise.reject(new Error("no decoder left"));
    close() {}
  };
  browser.createImageBitmap = async (/** @type {Blob} */ blob) => `${blob.size} bytes`;

  const { decode } = await import(`${MODULE}?direct`);
  const image = await decode(new Uint8Array(7));

  delete browser.ImageDecoder;
  delete browser.createImageBitmap;
  assert.equal(image, "7 bytes");
});
