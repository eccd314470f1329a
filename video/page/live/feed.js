/** The page's side of the live pictures: requests them and passes on the news. A worker does the rest. */

/** @typedef {import("./types.js").Camera} Camera */
/** @typedef {import("./types.js").News} News */
/** @typedef {import("./types.js").FromWorker} FromWorker */
/** @typedef {import("./types.js").ToWorker} ToWorker */

const NOT_LOADED = "page/live/worker.js is missing, or a Content-Security-Policy forbids it";
const RESTART = 2000; // ms before a worker that could not be loaded is loaded again
const SURE = 3; // sockets in a row that do not open although the server answers, until it is asked why
const TOGETHER = 16; // ms in which changes of what is watched are sent as one

/**
 * @typedef {object} Handlers
 * @property {(cameras: Camera[], broker: string | null) => void} cameras all cameras, by name, and what keeps the
 *   server from Kafka: every second, and when something changes
 * @property {(news: Map<string, News>) => void} pictures what has changed, by camera; at most four times per second
 * @property {(since: Date) => void} away the server no longer answers; `cameras` means that it is back
 * @property {() => void} loggedOut the server requires a login
 * @property {(why: string) => void} failed something went wrong inside the page
 * @property {(why: string) => void} refused the server answers, but no socket opens
 */

/** All cameras' pictures and states, over one socket. */
export class Feed {
  /** Whether this browser can draw outside the page's thread. If not, a feed does nothing. */
  supported = "OffscreenCanvas" in globalThis && "transferControlToOffscreen" in HTMLCanvasElement.prototype;
  /** @type {Worker | null} */
  #worker = null;
  #url;
  #handlers;
  #away = false;
  #refusals = 0;
  /** @type {Map<string, number>} */
  #widths = new Map();
  #sent = new Map();
  #planned = false;

  /** @param {string} url the socket's, relative to the page @param {Handlers} handlers */
  constructor(url, handlers) {
    this.#handlers = handlers;
    this.#url = new URL(url, document.baseURI);
    this.#url.protocol = this.#url.protocol.replace("http", "ws");
    if (!this.supported) return;
    this.#start();
    const retry = () => document.hidden || this.#post({ type: "retry" });
    window.addEventListener("online", retry);
    document.addEventListener("visibilitychange", retry);
  }

  /**
   * Draw a camera's pictures on a canvas from now on. A canvas can be attached only once.
   * @param {string} name
   * @param {HTMLCanvasElement} element
   */
  attach(name, element) {
    if (!this.#worker) return;
    const canvas = element.transferControlToOffscreen();
    this.#post({ type: "attach", name, canvas }, [canvas]);
  }

  /** Release a camera's canvas and everything about the camera. @param {string} name */
  detach(name) {
    this.#post({ type: "detach", name });
  }

  /**
   * Request the pictures of these cameras and no others. Nothing is sent unless something has changed.
   * @param {Map<string, number>} widths name → width in device pixels; 0: the full picture
   */
  watch(widths) {
    this.#widths = new Map(widths);
    if (this.#planned) return;
    this.#planned = true;
    setTimeout(() => {
      this.#planned = false;
      if (isSame(this.#widths, this.#sent)) return;
      this.#sent = this.#widths;
      this.#post({ type: "watch", widths: this.#sent });
    }, TOGETHER);
  }

  #start() {
    const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
    let runs = false;
    worker.onmessage = ({ data }) => {
      runs = true;
      this.#receive(data);
    };
    worker.onmessageerror = () => this.#handlers.failed("a message from the worker could not be read");
    worker.onerror = ({ message }) => {
      if (runs) {
        this.#handlers.failed(message);
        return;
      }
      // It was not found, or a policy forbids it. It has no canvases yet, so another one can take its place.
      worker.terminate();
      this.#handlers.failed(`${message ?? NOT_LOADED}; trying again`);
      void this.#checkSession();
      setTimeout(() => this.#worker === worker && this.#start(), RESTART);
    };
    this.#worker = worker;
    this.#post({ type: "open", url: this.#url.href });
  }

  /** @param {ToWorker} message @param {Transferable[]} [transfer] */
  #post(message, transfer = []) {
    this.#worker?.postMessage(message, transfer);
  }

  /** @param {FromWorker} message */
  #receive(message) {
    if (message.type === "pictures") {
      this.#handlers.pictures(message.pictures);
    } else if (message.type === "cameras") {
      this.#away = false;
      this.#refusals = 0;
      this.#handlers.cameras(message.cameras, message.broker);
    } else if (message.type === "failed") {
      this.#handlers.failed(message.why);
    } else {
      this.#lose(new Date(message.since));
      void this.#checkSession();
    }
  }

  /** @param {Date} since */
  #lose(since) {
    if (this.#away) return;
    this.#away = true;
    this.#handlers.away(since);
  }

  /** A refused socket gives no reason, so ask whether the login has expired, and what else may be wrong. */
  async #checkSession() {
    const answer = await request("api/session");
    if (answer?.status === 401 && this.#worker) {
      this.#worker.terminate();
      this.#worker = null;
      this.#handlers.loggedOut();
    }
    this.#refusals = answer?.ok ? this.#refusals + 1 : 0;
    if (this.#refusals < SURE) return;
    const reply = await request("ws");
    const isOurs = reply?.headers.get("content-type")?.startsWith("text/plain"); // and not a proxy's page
    const why = isOurs ? await reply?.text().catch(() => null) : null;
    if (why && this.#away) this.#handlers.refused(why.trim());
  }
}

/** @param {string} path */
const request = (path) => fetch(new URL(path, document.baseURI), { cache: "no-store" }).catch(() => null);

/** @param {Map<string, number>} one @param {Map<string, number>} other */
function isSame(one, other) {
  return one.size === other.size && [...one].every(([name, width]) => other.get(name) === width);
}
