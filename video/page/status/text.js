/** All texts of the status page that are not in status.html. */

import { text as shared } from "../text.js";
import { spanOf } from "../times.js";

/** @typedef {import("./types.js").Dropped} Dropped */

/** What stands for a figure that is not known. */
const NONE = "–";

const PER_S = "per second";

/** @type {Record<string, string>} */
const services = { producer: "Producers", consumer: "Consumers", video: "Video servers" };

/** @type {Record<string, string>} */
const states = { ready: "ready", "not-ready": "not ready", stopped: "stopped", silent: "silent" };

/** @param {number} value */
const digits = (value) => (value >= 100 ? value.toFixed(0) : value > 0 && value < 0.1 ? value.toFixed(2) : value.toFixed(1));

export const text = {
  /** The headings of columns, and their units. @type {[string, string?][]} */
  serviceColumns: [["Service"], ["State"], ["In", PER_S], ["Out", PER_S], ["Age"], ["Dropped"], ["Notes"]],
  /** @type {[string, string?][]} */
  modelServerColumns: [
    ["Model server"],
    ["State"],
    ["Consumers"],
    ["Requests", PER_S],
    ["Frames", PER_S],
    ["Answer time"],
    ["Label age"],
    ["Failed"],
    ["Notes"],
  ],
  /** @type {[string, string?][]} */
  cameraColumns: [
    ["Camera"],
    ["State"],
    ["Captured", PER_S],
    ["Labelled", PER_S],
    ["Shown", PER_S],
    ["Age"],
    ["Dropped"],
    ["Notes"],
  ],

  /** @param {string} name */
  service: (name) => services[name] ?? name.charAt(0).toUpperCase() + name.slice(1),
  /** @param {string} state of a process */
  process: (state) => shared.reason(states[state] ?? state),
  /** @param {Record<string, number>} counts of processes by state */
  replicas: (counts) =>
    Object.entries(counts)
      .map(([state, count]) => `${count} ${states[state] ?? state}`)
      .join(", ") || "None",
  /** @param {import("./types.js").CameraState} state */
  camera: (state) => shared.states[state],

  /** @param {number | null} value frames per second */
  rate: (value) => (value === null ? NONE : digits(value)),
  /** @param {number | null} ms */
  age: (ms) => (ms === null ? NONE : spanOf(ms)),
  /** @param {Dropped[]} dropped those of a service next to each other */
  dropped: (dropped) =>
    dropped.reduce((words, { service, reason, count, per_s }, at) => {
      const now = per_s > 0 ? ` (${digits(per_s)}/s)` : "";
      const isNext = at > 0 && dropped[at - 1].service === service;
      const before = isNext ? ", " : `${at > 0 ? "; " : ""}${service ? `${service}: ` : ""}`;
      return `${words}${before}${reason.replaceAll("_", " ")} ${count}${now}`;
    }, ""),
  /** @param {(string | null | undefined)[]} lines each once */
  note: (lines) => [...new Set(lines)].flatMap((line) => (line ? shared.reason(line) : [])).join("; "),

  none: "No cameras yet",
  /** @param {number} shown @param {number} count */
  count: (shown, count) => `Cameras (${shown === count ? count : `${shown} of ${count}`})`,
  away: shared.away,
  /** @param {string} why the server's words, or the status of its answer */
  refused: (why) => `The server does not report its status: ${why}`,
};
