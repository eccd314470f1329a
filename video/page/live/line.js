/** The socket to the server. It is opened again when it breaks or falls silent. */

const FIRST_WAIT = 500; // ms
const LONGEST_WAIT = 2000; // ms
const SILENCE = 3000; // ms; the server sends something every second
const OPENING = 10_000; // ms that a connection attempt may take
const CHECK = 500; // ms between two checks for silence

/**
 * @typedef {object} Handlers
 * @property {() => void} opened
 * @property {(data: string | ArrayBuffer) => void} received
 * @property {(since: number) => void} away called after each failed attempt with the time of the server's last
 *   message (ms since the epoch)
 */

/** Holds at most one socket, and never stops trying to open one. */
export class Line {
  #url;
  #handlers;
  #open;
  /** @type {WebSocket | null} */
  #socket = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #retrying;
  #wait = FIRST_WAIT;
  #received = Date.now();
  #checked = Date.now();
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
    setInterval(() => this.#check(), CHECK);
    this.#connect();
  }

  /**
   * Send a message. Without a connection, it is lost.
   * @param {string} text
   */
  send(text) {
    if (this.#socket?.readyState === 1) this.#socket.send(text);
  }

  /** Try now instead of waiting for the next attempt. */
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
    this.#received = Date.now();
    socket.onopen = () => {
      this.#received = Date.now();
      this.#handlers.opened();
    };
    socket.onmessage = ({ data }) => {
      this.#received = Date.now();
      this.#wait = FIRST_WAIT; // not at `open`: a connection that opens and breaks must not be retried without a delay
      this.#away = null;
      this.#handlers.received(data);
    };
    socket.onclose = () => this.#lose(socket);
  }

  /** @param {WebSocket} socket */
  #lose(socket) {
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
    this.#socket = null;
    this.#away ??= this.#received;
    this.#retrying = setTimeout(() => this.#connect(), this.#wait * (0.75 + Math.random() / 4));
    this.#wait = Math.min(this.#wait * 1.6, LONGEST_WAIT);
    this.#handlers.away(this.#away);
  }

  /** A connection can be dead without closing. It shows only in that nothing arrives. */
  #check() {
    const now = Date.now();
    const slept = now - this.#checked > 4 * CHECK;
    this.#checked = now;
    if (!this.#socket) return;
    if (slept) this.#received = now; // messages that arrived during the sleep are delivered only now
    const patience = this.#socket.readyState === 0 ? OPENING : SILENCE;
    if (now - this.#received >= patience) this.#lose(this.#socket);
  }
}
