/** The server's clock, as far as it can be told from here. */

const KEPT = 8; // samples: old ones go, as clocks drift
const SLACK = 5; // ms that two clocks may drift apart meanwhile

/** This browser's clock in ms since the epoch: finer than `Date`, and it never goes backwards. */
export const localNow = () => performance.timeOrigin + performance.now();

/**
 * Tells the server's time from questions and answers, as NTP does: the answer was given somewhere between the
 * asking and the hearing, so the shortest round trip knows it best.
 */
export class Clock {
  /** @type {{offset: number, trip: number}[]} */
  #samples = [];

  /**
   * @param {number} asked ms, by this browser's clock
   * @param {number} heard the same
   * @param {number} server what the server's clock said in between
   */
  add(asked, heard, server) {
    const sample = { offset: server - (asked + heard) / 2, trip: heard - asked };
    const best = this.#best;
    // No two clocks give answers that exclude each other: one was set anew, or the computer slept.
    const apart = best && Math.abs(best.offset - sample.offset) > (best.trip + sample.trip) / 2 + SLACK;
    this.#samples = apart ? [sample] : [...this.#samples, sample].slice(-KEPT);
  }

  /** How many answers it rests on. */
  get samples() {
    return this.#samples.length;
  }

  /** From this browser's clock to the server's, ms; 0 as long as nothing is known. */
  get offset() {
    return this.#best?.offset ?? 0;
  }

  get #best() {
    return this.#samples.reduce(
      (best, sample) => (!best || sample.trip <= best.trip ? sample : best),
      /** @type {{offset: number, trip: number} | undefined} */ (undefined),
    );
  }
}
