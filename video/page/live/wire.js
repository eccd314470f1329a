/** The messages on the socket: pictures are binary, everything else is JSON. */

/** @typedef {import("./types.js").Camera} Camera */

const HEAD = 28; // bytes before the JPEG, big-endian
const PICTURE = 1;

/**
 * @typedef {object} Picture
 * @property {number} scale the picture is 1/scale of the frame
 * @property {number} id the camera's id, as in the message `cameras`
 * @property {number} number the number of the camera's frame, modulo 2^32
 * @property {number} seq
 * @property {number} captured ms since the epoch, by the server's clock
 * @property {number} width px, of this picture
 * @property {number} height
 * @property {Uint8Array<ArrayBuffer>} jpeg
 */

/**
 * The server's text messages.
 * @typedef {{type: "cameras", now: number, broker: string | null, cameras: (Camera & {id: number})[]}
 *   | {type: "time", echo: number, now: number}} TextMessage
 */

/**
 * @param {ArrayBuffer} message
 * @returns {Picture | null} null for other messages, which a newer server may send
 */
export function readPicture(message) {
  if (message.byteLength < HEAD) return null;
  const head = new DataView(message, 0, HEAD);
  if (head.getUint8(0) !== PICTURE) return null;
  return {
    scale: head.getUint8(1),
    id: head.getUint16(2),
    number: head.getUint32(4),
    seq: Number(head.getBigUint64(8)),
    captured: Number(head.getBigUint64(16) / 1000n) / 1000,
    width: head.getUint16(24),
    height: head.getUint16(26),
    jpeg: new Uint8Array(message, HEAD),
  };
}

/**
 * Request the pictures of these cameras. Replaces the previous request.
 * @param {Map<string, number>} widths name → width in device pixels; 0: the full picture
 */
export const writeWatch = (widths) => JSON.stringify({ type: "watch", cameras: Object.fromEntries(widths) });

/**
 * Acknowledge a picture and all earlier ones of that camera, whether they were drawn or skipped.
 * @param {number} id the camera's id
 * @param {number} number the picture's number
 */
export const writeAck = (id, number) => JSON.stringify({ type: "ack", id, number });

/**
 * Ask for the server's time.
 * @param {number} echo is returned with the answer
 */
export const writeTime = (echo) => JSON.stringify({ type: "time", echo });
