/** Kafka-ML's JSON that says how predictions are shown. */

import { text } from "../text/result.js";

/** @typedef {{id: number, label: string, color: string}} Label */

/**
 * @typedef {object} Config
 * @property {"classification" | "regression" | null} type null if it does not say
 * @property {boolean} averageUpdated whether the current status is the label with the largest share
 * @property {number} averageWindow after how many predictions that status changes at the latest
 * @property {Label[]} labels
 */

const COLOUR = /^#[0-9a-f]{6}$/i;
const COLOURS = ["#4f8a82", "#8a5a00", "#3a55b8", "#b2371c", "#7a4fa3", "#00755a", "#a8326b", "#5f7a1f", "#1f7a99", "#84603f"];
const MOST_LABELS = 1000;

/** Return the colour of the label that has none. @param {number} at */
export const colourOf = (at) => COLOURS[at % COLOURS.length];

/**
 * @param {string} words JSON, or nothing
 * @returns {Config}
 * @throws {Error} with what is wrong, in one line
 */
export function configOf(words) {
  if (!words.trim()) return { type: null, averageUpdated: false, averageWindow: 10, labels: [] };
  const found = jsonOf(words);
  const { type = null, labels = [], average_window: window = 10 } = found;
  if (![null, "classification", "regression"].includes(type)) throw wrong(`type: expected classification or regression, found ${shown(type)}`);
  if (!Number.isInteger(window) || window < 1) throw wrong(`average_window: expected a whole number from 1, found ${shown(window)}`);
  if (!Array.isArray(labels) || labels.length > MOST_LABELS) throw wrong(`labels: expected a list of at most ${MOST_LABELS} labels`);
  return {
    type,
    averageUpdated: Boolean(found.average_updated ?? found.average_update ?? false),
    averageWindow: window,
    labels: labels.map(labelOf),
  };
}

/** @param {any} label @param {number} at @returns {Label} */
function labelOf(label, at) {
  const { id = at, color = colourOf(at), label: name = String(id) } = label && typeof label === "object" ? label : {};
  if (!Number.isInteger(Number(id))) throw wrong(`labels: expected a whole number as id, found ${shown(id)}`);
  if (!COLOUR.test(color)) throw wrong(`labels: expected a color such as #4f8a82, found ${shown(color)}`);
  return { id: Number(id), color, label: String(name) };
}

/** @param {string} words @returns {Record<string, any>} */
function jsonOf(words) {
  try {
    const found = JSON.parse(words);
    if (found && typeof found === "object" && !Array.isArray(found)) return found;
  } catch {
    // said below
  }
  throw new Error(text.visual.badConfig);
}

/** @param {string} what */
const wrong = (what) => new Error(text.visual.badPart(what));

/** @param {any} value */
const shown = (value) => JSON.stringify(value)?.slice(0, 40);
