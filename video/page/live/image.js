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
 * Draw an image on a canvas of its size, and close it; throws where it is too large for a canvas.
 * @param {OffscreenCanvas} canvas
 * @param {Image} image
 */
export function draw(canvas, image) {
  const direct = "displayWidth" in image;
  const width = direct ? image.displayWidth : image.width;
  const height = direct ? image.displayHeight : image.height;
  try {
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    canvas.getContext("2d", { alpha: false })?.drawImage(image, 0, 0);
  } finally {
    image.close();
  }
}
