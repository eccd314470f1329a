/** What has been predicted so far, as numbers. */

const LONGEST = 500; // predictions; older ones are dropped
const MOST_LINES = 20;

export class Numbers {
  /** By position. @type {(number | null)[][]} */
  lines = [];
  #total = 0;

  /** @param {string} message such as {"values": [1.5]} @returns {boolean} whether it holds numbers */
  add(message) {
    const values = valuesOf(message);
    if (!values.length) return false;
    const before = this.lines[0]?.length ?? 0;
    values.slice(0, MOST_LINES).forEach((value, at) => {
      this.lines[at] ??= Array(before).fill(null);
      this.lines[at].push(value);
    });
    for (const line of this.lines) {
      if (line.length === before) line.push(null); // this message is shorter than others
      if (line.length > LONGEST) line.shift();
    }
    this.#total += 1;
    return true;
  }

  get total() {
    return this.#total;
  }
}

/** @param {string} message @returns {number[]} empty if it is no prediction */
function valuesOf(message) {
  try {
    const { values } = JSON.parse(message);
    return [values].flat(Infinity).filter((value) => typeof value === "number");
  } catch {
    return [];
  }
}
