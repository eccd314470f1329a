/** What the control message of a stream says, in a few words. */

import { text } from "./text/lists.js";

/** @typedef {import("./types.js").Datasource} Datasource */

/** @param {Pick<Datasource, "description" | "topic">} row */
export const nameOf = ({ description, topic }) => text.datasources.title(placesOf(topic)[0] ?? topic, description);

/**
 * Return the topics of ranges such as `digits:0:0:900,digits:1:0:897`, each once.
 * @param {string} ranges
 */
export function placesOf(ranges) {
  return [...new Set(ranges.split(",").map((range) => range.replace(/:\d+:\d+:\d+$/, "")))];
}

/** Types and shapes. @param {Pick<Datasource, "input_config">} row */
export function formatOf({ input_config }) {
  const config = jsonOf(input_config);
  const { data_type, data_reshape, labels } = config;
  if (data_type) return [data_type, data_reshape].filter(Boolean).join(" of ");
  return Array.isArray(labels) ? labels.join(", ") : "";
}

/**
 * Return the names of the classes that a deployment was trained on; empty if its data do not say.
 * @param {Datasource[]} rows the newest first
 * @param {number} deployment
 * @param {number} count how many classes there are
 */
export function classNamesOf(rows, deployment, count) {
  const found = rows.filter((row) => row.deployment === String(deployment)).map((row) => jsonOf(row.input_config).labels);
  const fits = (/** @type {unknown} */ labels) => Array.isArray(labels) && labels.length === count;
  return /** @type {string[]} */ (found.find(fits) ?? []).map(String);
}

/** @param {string} words JSON @returns {Record<string, any>} empty if it is no object */
export function jsonOf(words) {
  try {
    const found = JSON.parse(words);
    return found && typeof found === "object" ? found : {};
  } catch {
    return {};
  }
}
