/** The page's side of the live pictures: requests them and passes on the news. A worker does the rest. */

/** @typedef {import("./types.js").Camera} Camera */
/** @typedef {import("./types.js").News} News */
/** @typedef {import("./types.js").FromWorker} FromWorker */
/** @typedef {import("./types.js").ToWorker} ToWorker */

const TOGETHER = 16; // ms in which changes of what is watched are sent as one

/**
 * @typedef {object} Handlers
 * @property {(cameras: Camera[], broker: string | null) => void} cameras all cameras, by name, and what keeps the
 *   server from Kafka: every second, and when something changes
 * @property {(news: Map<string, News>) => void} pictures what has changed, by camera; at most four times per second
 * @property {(since: Date) => void} away the server no longer answers; `cameras` means that it is back
 * @property {() => void} loggedOut the server requires a login
 */

/** All cameras' pictures and states, over one socket. */
export class Feed {
  /** Whether this browser can draw outside the page's thread. If not, a feed does nothing. */
  supported = "OffscreenCanvas" in globalThis && "transferControlToOffscreen" in HTMLCanvasElement.prototype;
  /** @type {Worker | null} */
  #worker = null;
  #handlers;
  #away = false;
  /** @type {Map<string, number>} */
  #widths = new Map();
  #sent = new Map();
  #planned = false;

  /** @param {string} url the socket's, relative to the page @param {Handlers} handlers */
  constructor(url, handlers) {
    this.#handlers = handlers;
    if (!this.supported) return;
    const address = new URL(url, document.baseURI);
    address.protocol = address.protocol.replace("http", "ws");
    this.#worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
    this.#worker.onmessage = ({ data }) => this.#receive(data);
    this.#worker.onerror = () => this.#lose(new Date()); // such as when its file could not be loaded
    this.#post({ type: "open", url: address.href });
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
      this.#handlers.cameras(message.cameras, message.broker);
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

  /** A refused socket gives no reason, so ask whether the login has expired. */
  async #checkSession() {
    const url = new URL("api/session", document.baseURI);
    const answer = await fetch(url, { cache: "no-store" }).catch(() => null);
    if (answer?.status !== 401 || !this.#worker) return;
    this.#worker.terminate();
    this.#worker = null;
    this.#handlers.loggedOut();
  }
}

/** @param {Map<string, number>} one @param {Map<string, number>} other */
function isSame(one, other) {
  return one.size === other.size && [...one].every(([name, width]) => other.get(name) === width);
}
