/** The worker: talks to the server, and decodes and draws pictures, to keep the page's own thread free. */

import { Clock, localNow } from "./clock.js";
import { Decoder } from "./decoder.js";
import { contextOf, decode, draw } from "./image.js";
import { Line } from "./line.js";
import { readPicture, writeAck, writeTime, writeWatch } from "./wire.js";

/** @typedef {import("./types.js").FromWorker} FromWorker */
/** @typedef {import("./types.js").ToWorker} ToWorker */
/** @typedef {import("./wire.js").TextMessage} TextMessage */

const NEWS_EVERY = 250; // ms
const SURE = 5; // answers about the clock after which it is asked for less often
const ASK_SOON = 200; // ms
const ASK_LATER = 10_000; // ms
const WARN_EVERY = 60_000; // ms, per camera

/** @type {Line} */
let line;
/** @type {Map<string, number>} */
let widths = new Map();
/** @type {ReturnType<typeof setTimeout> | undefined} */
let asking;
const clock = new Clock();
/** When each camera's last warning was logged. @type {Map<string, number>} */
const warned = new Map();

/** @type {Decoder<OffscreenCanvasRenderingContext2D, import("./image.js").Image>} */
const decoder = new Decoder({
  decode,
  draw,
  drop: (image) => image.close(),
  ack: (id, number) => line.send(writeAck(id, number)),
  failed: warn,
  now: () => localNow() + clock.offset,
});

/** Report that a camera's picture could not be shown. @param {string} camera @param {unknown} error */
function warn(camera, error) {
  const now = localNow();
  if (now - (warned.get(camera) ?? -Infinity) < WARN_EVERY) return;
  warned.set(camera, now);
  post({ type: "failed", why: `camera ${camera}: a picture could not be decoded or drawn: ${error}` });
}

/** @param {FromWorker} message */
const post = (message) => self.postMessage(message);

const askTime = () => line.send(writeTime(localNow()));

/** @param {TextMessage} message */
function receive(message) {
  if (message.type === "cameras") {
    decoder.know(message.cameras);
    post({ type: "cameras", cameras: message.cameras, broker: message.broker });
  } else if (message.type === "time") {
    clock.add(message.echo, localNow(), message.now);
    clearTimeout(asking);
    asking = setTimeout(askTime, clock.samples < SURE ? ASK_SOON : ASK_LATER);
  }
}

/** @param {string} camera */
function detach(camera) {
  decoder.detach(camera);
  warned.delete(camera);
}

const handlers = {
  opened() {
    decoder.restart();
    askTime();
    line.send(writeWatch(widths));
  },
  /** @param {string | ArrayBuffer} data */
  received(data) {
    if (typeof data === "string") {
      receive(JSON.parse(data));
      return;
    }
    const picture = readPicture(data);
    if (picture) decoder.take(picture);
  },
  /** @param {number} since */
  away: (since) => post({ type: "away", since }),
};

self.addEventListener("message", (/** @type {MessageEvent<ToWorker>} */ { data }) => {
  if (data.type === "open") line = new Line(data.url, handlers);
  else if (data.type === "attach") decoder.attach(data.name, contextOf(data.canvas));
  else if (data.type === "detach") detach(data.name);
  else if (data.type === "retry") line.retry();
  else if (data.type === "watch") {
    widths = data.widths;
    line.send(writeWatch(widths));
  }
});

// The page is notified of other errors by the browser.
self.addEventListener("unhandledrejection", ({ reason }) => post({ type: "failed", why: String(reason) }));
self.addEventListener("messageerror", () =>
  post({ type: "failed", why: "a message from the page could not be read" }),
);

// One message about everything that has been drawn since the last one.
setInterval(() => {
  const pictures = decoder.news();
  if (pictures.size) post({ type: "pictures", pictures });
}, NEWS_EVERY);
