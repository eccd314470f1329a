/** The page's side of the live pictures: says what is wanted, hears what is new; a worker does the rest. */

/** @typedef {import("./types.js").Camera} Camera */
/** @typedef {import("./types.js").News} News */
/** @typedef {import("./types.js").FromWorker} FromWorker */
/** @typedef {import("./types.js").ToWorker} ToWorker */

const TOGETHER = 16; // ms in which changes of what is wanted become one

/**
 * @typedef {object} Handlers
 * @property {(cameras: Camera[]) => void} cameras all, by name: each second, and when something changed
 * @property {(news: Map<string, News>) => void} pictures what is new, by camera; four times a second at most
 * @property {(since: Date) => void} away the server is not heard any more; `cameras` tells that it is back
 * @property {() => void} loggedOut the server wants a login
 */

/** All cameras' pictures and states, over one socket. */
export class Feed {
  /** Whether this browser can draw away from the page's thread; without it, a feed tells nothing. */
  supported = "OffscreenCanvas" in globalThis && "transferControlToOffscreen" in HTMLCanvasElement.prototype;
  /** @type {Worker | null} */
  #worker = null;
  #handlers;
  #away = false;
  /** @type {Map<string, number>} */
  #wanted = new Map();
  #sent = new Map();
  #planned = false;

  /** @param {string} url the socket's, relative to the page @param {Handlers} handlers */
  constructor(url, handlers) {
    this.#handlers = handlers;
    if (!this.supported) return;
    const address = new URL(url, document.baseURI);
    address.protocol = address.protocol.replace("http", "ws");
    this.#worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
    this.#worker.onmessage = ({ data }) => this.#hear(data);
    this.#worker.onerror = () => this.#lose(new Date()); // above all: its file did not come
    this.#tell({ type: "open", url: address.href });
    const retry = () => document.hidden || this.#tell({ type: "retry" });
    window.addEventListener("online", retry);
    document.addEventListener("visibilitychange", retry);
  }

  /**
   * Draw a camera's pictures on a canvas from now on. A canvas can be attached once.
   * @param {string} name
   * @param {HTMLCanvasElement} element
   */
  attach(name, element) {
    if (!this.#worker) return;
    const canvas = element.transferControlToOffscreen();
    this.#tell({ type: "attach", name, canvas }, [canvas]);
  }

  /** @param {string} name */
  detach(name) {
    this.#tell({ type: "detach", name });
  }

  /**
   * Say which cameras' pictures are wanted, all of them. What did not change costs nothing.
   * @param {Map<string, number>} wanted name → width in device pixels; 0: the full picture
   */
  watch(wanted) {
    this.#wanted = new Map(wanted);
    if (this.#planned) return;
    this.#planned = true;
    setTimeout(() => {
      this.#planned = false;
      if (isSame(this.#wanted, this.#sent)) return;
      this.#sent = this.#wanted;
      this.#tell({ type: "watch", wanted: this.#sent });
    }, TOGETHER);
  }

  /** @param {ToWorker} message @param {Transferable[]} [transfer] */
  #tell(message, transfer = []) {
    this.#worker?.postMessage(message, transfer);
  }

  /** @param {FromWorker} message */
  #hear(message) {
    if (message.type === "pictures") {
      this.#handlers.pictures(message.pictures);
    } else if (message.type === "cameras") {
      this.#away = false;
      this.#handlers.cameras(message.cameras);
    } else {
      this.#lose(new Date(message.since));
      void this.#askSession();
    }
  }

  /** @param {Date} since */
  #lose(since) {
    if (this.#away) return;
    this.#away = true;
    this.#handlers.away(since);
  }

  /** A socket does not tell why it was refused. */
  async #askSession() {
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
