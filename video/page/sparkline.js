/** A small line chart of a value over the last two minutes: its geometry and its element. */

import { make, makeSvg, setText } from "./dom.js";

/** @typedef {{at: number, value: number}} Point `at` in ms, in order; `value` is NaN if there was none */

/**
 * @typedef {object} Frame the range of values to draw, and the size
 * @property {number} from ms, at the left edge
 * @property {number} to ms, at the right edge
 * @property {number} low the value at the bottom
 * @property {number} high the value at the top
 * @property {number} width px
 * @property {number} height px
 */

/** @typedef {{last: number, low: number, high: number}} Figures */

export const SPAN = 120_000; // ms
const HOLE = 5000; // ms; the line is broken between points further apart than this
const WIDTH = 240;
const HEIGHT = 40;
const EDGE = 2; // px kept free at the top and bottom

/**
 * Return the line as an SVG path; empty if there is nothing in the frame.
 * @param {Point[]} points
 * @param {Frame} frame
 */
export function pathOf(points, { from, to, low, high, width, height }) {
  const x = (/** @type {number} */ at) => ((at - from) / (to - from)) * width;
  const share = (/** @type {number} */ value) => Math.min(1, Math.max(0, (value - low) / (high - low)));
  const y = (/** @type {number} */ value) => height - EDGE - share(value) * (height - 2 * EDGE);
  let path = "";
  let before = -Infinity;
  for (const { at, value } of points) {
    if (at < from || at > to || !Number.isFinite(value)) continue;
    const step = at - before > HOLE ? `M${x(at).toFixed(1)} ${y(value).toFixed(1)}h0` : "";
    path += step || `L${x(at).toFixed(1)} ${y(value).toFixed(1)}`;
    before = at;
  }
  return path;
}

/**
 * Return the figures that describe the line in words.
 * @param {Point[]} points
 * @returns {Figures | null} null if there is no value; `last` is NaN if there is none now
 */
export function figuresOf(points) {
  const values = points.map(({ value }) => value).filter(Number.isFinite);
  if (!values.length) return null;
  return { last: points[points.length - 1].value, low: Math.min(...values), high: Math.max(...values) };
}

/** The chart with its name and the last value. */
export class Sparkline {
  element = make("div", "spark");
  #line = makeSvg("path", { class: "spark-line" });
  #drawing = makeSvg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img" });
  #name = make("span", "spark-name");
  #last = make("span", "spark-last");

  /**
   * @param {string} name of the value
   * @param {(name: string, figures: Figures | null) => string} words describes the chart
   * @param {(value: number) => string} unit formats one value
   */
  constructor(name, words, unit) {
    this.words = words;
    this.unit = unit;
    this.#name.textContent = this.name = name;
    this.#drawing.append(this.#line);
    this.element.append(this.#name, this.#drawing, this.#last);
  }

  /**
   * @param {Point[]} points
   * @param {number} now ms, at the right edge
   * @param {number} high the value at the top; 0 is at the bottom
   */
  draw(points, now, high) {
    const frame = { from: now - SPAN, to: now, low: 0, high, width: WIDTH, height: HEIGHT };
    const figures = figuresOf(points);
    this.#line.setAttribute("d", pathOf(points, frame));
    this.#drawing.setAttribute("aria-label", this.words(this.name, figures));
    setText(this.#last, figures && Number.isFinite(figures.last) ? this.unit(figures.last) : "–");
  }
}
