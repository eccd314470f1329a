/** Digits that were sent, and which prediction answers which: predictions may come in any order. */

/** @typedef {{id: string, label: number, pixels: number[]}} Digit */

export class Sent {
  /** @type {Digit[]} */
  digits = [];
  /** Predicted classes by the ids of digits. A prediction may come before it is known which digits were sent. @type {Map<string, number>} */
  #said = new Map();

  /** @param {string | null | undefined} id that of a digit, if it is the prediction of one @param {string} prediction the number of a class */
  hear(id, prediction) {
    const said = Number(prediction);
    const isOther = this.digits.length > 0 && !this.digits.some((digit) => digit.id === id);
    if (id && !isOther && Number.isInteger(said)) this.#said.set(id, said);
  }

  /** What a digit is taken for; null while that is not known. @param {Digit} digit */
  saidOf({ id }) {
    return this.#said.get(id) ?? null;
  }

  /** How many have a prediction. */
  get answered() {
    return this.digits.filter((digit) => this.saidOf(digit) !== null).length;
  }

  /** How many are taken for what they are. */
  get right() {
    return this.digits.filter((digit) => this.saidOf(digit) === digit.label).length;
  }
}
