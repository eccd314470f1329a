/** Asks the server again and again, while the page is visible. */

/**
 * @template [Body=any]
 * @typedef {import("./requests.js").Answer<Body>} Answer
 */

/**
 * @template Body
 * @typedef {object} Handlers
 * @property {(body: Body) => void} shown
 * @property {(since: Date) => void} away the server has not answered since then
 * @property {(why: string, status: number) => void} refused it answers, but with an error
 * @property {(error: unknown) => void} failed an answer could not be shown; it goes on
 */

/** What a test replaces. */
const browser = {
  isHidden: () => document.hidden,
  /** @param {() => void} changed @param {AbortSignal} signal */
  onVisibility: (changed, signal) => document.addEventListener("visibilitychange", changed, { signal }),
};

/** @template Body */
export class Poll {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #load;
  #handlers;
  #browser;
  #every;
  #asking = false;
  #again = false;
  #answered = new Date();
  #end = new AbortController();

  /**
   * @param {() => Promise<Answer<Body>>} load
   * @param {Handlers<Body>} handlers
   * @param {() => number} every ms between two requests
   */
  constructor(load, handlers, every, surroundings = browser) {
    this.#load = load;
    this.#handlers = handlers;
    this.#every = every;
    this.#browser = surroundings;
    surroundings.onVisibility(() => this.now(), this.#end.signal);
    this.now();
  }

  /** Ask at once, such as after a change. */
  now() {
    clearTimeout(this.#timer);
    if (this.#end.signal.aborted || this.#browser.isHidden()) return;
    if (this.#asking) this.#again = true; // the answer on its way may be from before the change
    else void this.#ask();
  }

  close() {
    clearTimeout(this.#timer);
    this.#end.abort();
  }

  async #ask() {
    this.#asking = true;
    const answer = await this.#load();
    this.#asking = false;
    if (this.#end.signal.aborted) return;
    if (answer.ok || answer.status) this.#answered = new Date();
    try {
      this.#tell(answer);
    } catch (error) {
      this.#handlers.failed(error);
    }
    this.#schedule();
  }

  /** @param {Answer<Body>} answer */
  #tell(answer) {
    if (answer.ok) this.#handlers.shown(answer.body);
    else if (answer.status) this.#handlers.refused(answer.why, answer.status);
    else this.#handlers.away(this.#answered);
  }

  #schedule() {
    const isDue = this.#again;
    this.#again = false;
    if (isDue) this.now();
    else if (!this.#browser.isHidden()) this.#timer = setTimeout(() => this.now(), this.#every());
  }
}
