/** The connection over which predictions arrive. It is made again when it is lost. */

/**
 * @typedef {object} Handlers
 * @property {() => void} opened
 * @property {(prediction: string, headers: Record<string, string | null>) => void} heard the number of a class, or the message
 * @property {() => void} lost it is made again
 * @property {(why: string) => void} refused the server has ended it, and says why
 */

const AGAIN = 2000; // ms
const REFUSALS = [1008, 1013]; // the server says why

export class Predictions {
  /** @type {WebSocket | null} */
  #socket = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #asks;
  #handlers;
  #make;

  /**
   * @param {string} topic
   * @param {boolean} classification
   * @param {Handlers} handlers
   */
  constructor(topic, classification, handlers, make = () => new WebSocket(addressOf(document.baseURI))) {
    this.#asks = JSON.stringify({ topic, classification, headers: true });
    this.#handlers = handlers;
    this.#make = make;
    this.#open();
  }

  close() {
    clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
  }

  #open() {
    const socket = this.#make();
    this.#socket = socket;
    socket.addEventListener("open", () => {
      socket.send(this.#asks);
      if (this.#socket === socket) this.#handlers.opened();
    });
    socket.addEventListener("message", ({ data }) => {
      const { prediction, headers } = JSON.parse(data);
      if (this.#socket === socket) this.#handlers.heard(prediction, headers);
    });
    socket.addEventListener("close", ({ code, reason }) => {
      if (this.#socket !== socket) return;
      if (REFUSALS.includes(code)) {
        this.#handlers.refused(reason);
        return;
      }
      this.#handlers.lost();
      this.#timer = setTimeout(() => this.#open(), AGAIN);
    });
  }
}

/** Return the socket's address. @param {string} page the page's */
export function addressOf(page) {
  const address = new URL("ws/", page);
  address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
  address.hash = "";
  return address.href;
}
