/** One camera's picture with its age, and the veil that covers it when it is not live. */

import { ageOf } from "./age.js";
import { make, makeForeign, mark, setData, setHidden, setMark, setText } from "./dom.js";
import { text } from "./text.js";

/** @typedef {import("./age.js").Seen} Seen */
/** @typedef {import("./age.js").Level} Level */
/** @typedef {import("./text.js").Shown} Shown */

/** The states in which the picture is not what the camera sees now. @type {Shown[]} */
const VEILED = ["no-signal", "broker-away", "never-seen", "connecting", "paused", "away"];

/** Each level has its own shape, so that it can be recognised without colour. @type {Record<Level, string>} */
const MARKS = { none: "mark-away", fresh: "mark-fresh", old: "mark-stale", stalled: "mark-slow" };

export class Screen {
  element = make("div", "screen");
  canvas = make("canvas", "picture");
  #pill = make("p", "pill");
  #pillMark = mark(MARKS.none);
  #age = make("span", "age");
  #veil = make("p", "veil");
  #veilMark = mark("mark-away");
  #veilWords = make("span", "veil-words");
  #reason = makeForeign("span", "veil-reason");
  /** @type {Seen | null} */
  #seen = null;
  #watchedSince = NaN;

  /** @param {string} camera */
  constructor(camera) {
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", text.picture(camera));
    this.#veil.hidden = true;
    this.#veil.append(this.#veilMark, this.#veilWords, this.#reason);
    this.#pill.append(this.#pillMark, this.#age);
    this.element.append(this.canvas, this.#pill, this.#veil);
    setData(this.element, "level", "none");
  }

  /** Note whether pictures are requested. @param {boolean} watched */
  watch(watched) {
    if (watched === !Number.isNaN(this.#watchedSince)) return;
    this.#watchedSince = watched ? performance.now() : NaN;
  }

  /** Note that a picture has just been drawn. @param {number} age_ms its age */
  drawn(age_ms) {
    this.#seen = { age_ms, at: performance.now() };
    this.#showPicture();
  }

  /** Whether the picture, if there is one, is not what the camera sees now. */
  get veiled() {
    return !this.#veil.hidden;
  }

  /** The picture's age now, ms; NaN if none has arrived since pictures were requested. */
  get age() {
    if (!this.#seen || !(this.#seen.at >= this.#watchedSince)) return NaN;
    return ageOf(this.#seen, this.#watchedSince, performance.now()).ms;
  }

  /** @param {Shown} state @param {Date | null} since @param {string | null} reason */
  show(state, since, reason) {
    const veiled = VEILED.includes(state);
    setHidden(this.#veil, !veiled);
    setHidden(this.#pill, veiled);
    this.#showPicture();
    setMark(this.#veilMark, `mark-${state}`);
    setText(this.#veilWords, veiled ? text.veil(state, since) : "");
    setText(this.#reason, veiled && reason !== null ? text.reason(reason) : "");
  }

  /** Show no empty canvas under the veil: Firefox paints it black. */
  #showPicture() {
    setData(this.canvas, "empty", String(this.veiled && !this.#seen));
  }

  /** Update the age on display. @param {number} interval ms between two of the camera's pictures */
  tick(interval) {
    if (Number.isNaN(this.#watchedSince) || this.#pill.hidden) return;
    const { level, ms } = ageOf(this.#seen, this.#watchedSince, performance.now(), interval);
    setData(this.element, "level", level);
    setMark(this.#pillMark, MARKS[level]);
    const slow = level === "stalled" && !Number.isNaN(ms);
    setData(this.#pill, "slow", String(slow));
    if (Number.isNaN(ms)) setText(this.#age, level === "stalled" ? text.noPicture : "");
    else setText(this.#age, slow ? text.slow(ms) : text.age(ms));
  }
}
