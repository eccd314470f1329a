/** The socket to the server: opened again when it breaks or falls silent. */

const FIRST_WAIT = 500; // ms
const LONGEST_WAIT = 5000; // ms
const SILENCE = 3000; // ms; the server says something each second
const OPENING = 10_000; // ms that a connection may take to come about
const LOOK = 500; // ms between two looks at the clock

/**
 * @typedef {object} Handlers
 * @property {() => void} opened
 * @property {(data: string | ArrayBuffer) => void} heard
 * @property {(since: number) => void} away called for each attempt that fails, with when the server was last
 *   heard (ms since the epoch)
 */

/** Holds at most one socket, and tries for one for ever. */
export class Line {
  #url;
  #handlers;
  #open;
  /** @type {WebSocket | null} */
  #socket = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #retrying;
  #wait = FIRST_WAIT;
  #heard = Date.now();
  #looked = Date.now();
  /** @type {number | null} */
  #away = null;

  /**
   * @param {string} url
   * @param {Handlers} handlers
   * @param {(url: string) => WebSocket} [open]
   */
  constructor(url, handlers, open = (address) => new WebSocket(address)) {
    this.#url = url;
    this.#handlers = handlers;
    this.#open = open;
    setInterval(() => this.#look(), LOOK);
    this.#connect();
  }

  /**
   * Say something; lost when there is no connection.
   * @param {string} text
   */
  send(text) {
    if (this.#socket?.readyState === 1) this.#socket.send(text);
  }

  /** Try at once, when it would only try later. */
  retry() {
    if (this.#socket) return;
    clearTimeout(this.#retrying);
    this.#wait = FIRST_WAIT;
    this.#connect();
  }

  #connect() {
    const socket = this.#open(this.#url);
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    this.#heard = Date.now();
    socket.onopen = () => {
      this.#heard = Date.now();
      this.#handlers.opened();
    };
    socket.onmessage = ({ data }) => {
      this.#heard = Date.now();
      this.#wait = FIRST_WAIT; // not at `open`: what opens and breaks again must not be tried ever so fast
      this.#away = null;
      this.#handlers.heard(data);
    };
    socket.onclose = () => this.#lose(socket);
  }

  /** @param {WebSocket} socket */
  #lose(socket) {
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
    this.#socket = null;
    this.#away ??= this.#heard;
    this.#retrying = setTimeout(() => this.#connect(), this.#wait * (0.75 + Math.random() / 4));
    this.#wait = Math.min(this.#wait * 1.6, LONGEST_WAIT);
    this.#handlers.away(this.#away);
  }

  /** A line can be dead without ever closing: what shows is that nothing is heard. */
  #look() {
    const now = Date.now();
    const slept = now - this.#looked > 4 * LOOK;
    this.#looked = now;
    if (!this.#socket) return;
    if (slept) this.#heard = now; // what came meanwhile is heard only now
    const patience = this.#socket.readyState === 0 ? OPENING : SILENCE;
    if (now - this.#heard >= patience) this.#lose(this.#socket);
  }
}
