/** The server's clock, estimated from here. */

const KEPT = 8; // samples; older ones are discarded because clocks drift
const SLACK = 5; // ms that the two clocks may drift apart between samples

/** This browser's clock in ms since the epoch. Unlike `Date`, it has sub-millisecond steps and never goes backwards. */
export const localNow = () => performance.timeOrigin + performance.now();

/**
 * Estimates the server's time from requests and answers, as NTP does: the server answered at some moment between
 * the two, so the shortest round trip gives the best estimate.
 */
export class Clock {
  /** @type {{offset: number, trip: number}[]} */
  #samples = [];

  /**
   * @param {number} sent when the request was sent, ms by this browser's clock
   * @param {number} received when the answer arrived, by the same clock
   * @param {number} server what the server's clock showed in between
   */
  add(sent, received, server) {
    const sample = { offset: server - (sent + received) / 2, trip: received - sent };
    const best = this.#best;
    // If two samples contradict each other, a clock has been set or the computer has slept: start over.
    const apart = best && Math.abs(best.offset - sample.offset) > (best.trip + sample.trip) / 2 + SLACK;
    this.#samples = apart ? [sample] : [...this.#samples, sample].slice(-KEPT);
  }

  /** The number of answers that the estimate is based on. */
  get samples() {
    return this.#samples.length;
  }

  /** What to add to this browser's clock to get the server's, ms; 0 until an answer has arrived. */
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
