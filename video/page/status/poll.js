/** Asks the server again and again, while the page can be seen. */

/** @typedef {import("./types.js").Status} Status */

const EVERY = 2000; // ms: the services report as often
const PATIENCE = 10_000; // ms

/**
 * @typedef {object} Handlers
 * @property {(status: Status) => void} shown
 * @property {(since: Date) => void} away the server has not answered since then
 * @property {(why: string) => void} refused it answers, but with an error
 * @property {() => void} loggedOut
 */

/** What a test replaces. */
const browser = {
  /** @param {string} address @param {RequestInit} options */
  fetch: (address, options) => fetch(address, options),
  isHidden: () => document.hidden,
  /** @param {() => void} changed */
  onVisibility: (changed) => document.addEventListener("visibilitychange", changed),
};

export class Poll {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #address;
  #handlers;
  #fetch;
  #isHidden;
  #every;
  #asking = false;
  #answered = new Date();

  /** @param {string} address @param {Handlers} handlers */
  constructor(address, handlers, { fetch, isHidden, onVisibility } = browser, every = EVERY) {
    this.#address = address;
    this.#handlers = handlers;
    this.#fetch = fetch;
    this.#isHidden = isHidden;
    this.#every = every;
    onVisibility(() => this.#next());
    this.#next();
  }

  #next() {
    clearTimeout(this.#timer);
    if (!this.#isHidden() && !this.#asking) void this.#ask();
  }

  async #ask() {
    this.#asking = true;
    const status = await this.#status();
    this.#asking = false;
    if (!this.#isHidden()) this.#timer = setTimeout(() => this.#next(), this.#every);
    if (status) this.#handlers.shown(status);
  }

  /** @returns {Promise<Status | null>} what the server answers; null if that is no status */
  async #status() {
    try {
      const answer = await this.#fetch(this.#address, { cache: "no-cache", signal: AbortSignal.timeout(PATIENCE) });
      const body = await answer.json().catch((error) => (answer.ok ? Promise.reject(error) : {}));
      if (answer.status === 401) this.#handlers.loggedOut();
      else if (!answer.ok) this.#handlers.refused(body.detail ?? `${answer.status} ${answer.statusText}`);
      this.#answered = new Date();
      return answer.ok ? body : null;
    } catch {
      this.#handlers.away(this.#answered);
      return null;
    }
  }
}
