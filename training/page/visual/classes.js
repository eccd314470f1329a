/** What has been predicted so far, as classes. */

/** @typedef {import("./config.js").Config} Config */

export const BEFORE = 4; // labels

export class Classes {
  /** @type {Map<number, number>} */
  #counts = new Map();
  /** @type {number[]} */
  #last = [];
  #total = 0;
  #sinceChange = 0;
  /** The class that is shown as the current one. @type {number | null} */
  current = null;
  #config;

  /** @param {Config} config */
  constructor(config) {
    this.#config = config;
  }

  /** @param {number} id the class of a new prediction */
  add(id) {
    this.#counts.set(id, (this.#counts.get(id) ?? 0) + 1);
    this.#total += 1;
    this.#sinceChange += 1;
    const { averageUpdated, averageWindow } = this.#config;
    const next = averageUpdated ? this.#largest() : id;
    // The largest share is shown when it becomes another's, and otherwise at the end of each window.
    if (averageUpdated && this.current !== null && next === this.current && this.#sinceChange < averageWindow) return;
    if (this.current !== null) this.#last = [this.current, ...this.#last].slice(0, BEFORE);
    this.current = next;
    this.#sinceChange = 0;
  }

  get total() {
    return this.#total;
  }

  /** The labels that were current before, the newest first. */
  get last() {
    return this.#last;
  }

  /** The share of each class, 0 to 1, in the order of the numbers. @returns {[number, number][]} */
  get shares() {
    return [...this.#counts].sort(([one], [other]) => one - other).map(([id, count]) => [id, count / this.#total]);
  }

  #largest() {
    let [largest, most] = [0, 0];
    for (const [id, count] of this.#counts) if (count > most) [largest, most] = [id, count];
    return largest;
  }
}
