/** Decodes JPEGs off the page's thread and draws them. */

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

/** @type {(data: Uint8Array<ArrayBuffer>) => Promise<Image>} */
const decodeBlob = (data) => createImageBitmap(new Blob([data], { type: "image/jpeg" }));

/**
 * Decode a JPEG; rejects anything else. The image must be drawn or closed.
 *
 * A blob travels to the browser's main process and back; decoding directly draws twice as many pictures per second.
 * But browsers offer `ImageDecoder` only to pages that were loaded over HTTPS or from this computer, and it can fail.
 * @type {(data: Uint8Array<ArrayBuffer>) => Promise<Image>}
 */
export const decode =
  "ImageDecoder" in globalThis ? (data) => decodeDirectly(data).catch(() => decodeBlob(data)) : decodeBlob;

/**
 * Return the context to draw on a canvas with. Call it once per canvas: in a worker, Firefox throws an
 * InvalidStateError at the second call.
 * @param {OffscreenCanvas} canvas
 */
export function contextOf(canvas) {
  const context = canvas.getContext("2d", { alpha: false });
  if (!context) throw new Error("expected a 2d context, but this browser offers none");
  return context;
}

/**
 * Draw an image and close it. The canvas takes its size; throws if that is too large for a canvas.
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
