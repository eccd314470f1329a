/** Decode a JPEG off the page's thread, and draw it. */

/** @typedef {ImageBitmap | VideoFrame} Image */

/** @param {Uint8Array<ArrayBuffer>} data */
async function decodeDirectly(data) {
  const decoder = new ImageDecoder({ data, type: "image/jpeg" });
  try {
    return (await decoder.decode()).image;
  } finally {
    decoder.close();
  }
}

/** @param {Uint8Array<ArrayBuffer>} data */
const decodeBlob = (data) => createImageBitmap(new Blob([data], { type: "image/jpeg" }));

/**
 * Decode a JPEG; rejects what is none. The image must be drawn or closed.
 *
 * A blob travels to the browser's own process and back: without that, twice as many pictures a second can be
 * drawn. But browsers offer the direct way to pages by https, or of this very computer, only.
 * @type {(data: Uint8Array<ArrayBuffer>) => Promise<Image>}
 */
export const decode = "ImageDecoder" in globalThis ? decodeDirectly : decodeBlob;

/**
 * The context to draw on a canvas with. To be asked for once per canvas: when asked again in a worker, Firefox
 * throws an InvalidStateError.
 * @param {OffscreenCanvas} canvas
 */
export function contextOf(canvas) {
  const context = canvas.getContext("2d", { alpha: false });
  if (!context) throw new Error("expected a 2d context, but this browser offers none");
  return context;
}

/**
 * Draw an image on a canvas, which takes its size, and close it; throws if it is too large for a canvas.
 * @param {OffscreenCanvasRenderingContext2D} context
 * @param {Image} image
 */
export function draw(context, image) {
  const { canvas } = context;
  const direct = "displayWidth" in image;
  const width = direct ? image.displayWidth : image.width;
  const height = direct ? image.displayHeight : image.height;
  try {
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    context.drawImage(image, 0, 0);
  } finally {
    image.close();
  }
}
