/** All texts of the status page that are not in status.html. */

import { text as shared } from "../text.js";
import { spanOf } from "../times.js";

/** @typedef {import("./types.js").Dropped} Dropped */

/** What stands for a figure that is not known. */
const NONE = "–";

/** @type {Record<string, string>} */
const services = { producer: "Producers", consumer: "Consumers", video: "Video servers" };

/** @type {Record<string, string>} */
const states = { ready: "ready", "not-ready": "not ready", stopped: "stopped", silent: "silent" };

/** @param {number} value */
const digits = (value) => (value >= 100 ? value.toFixed(0) : value > 0 && value < 0.1 ? value.toFixed(2) : value.toFixed(1));

export const text = {
  serviceColumns: ["Service", "State", "In per second", "Out per second", "Age", "Dropped", "Notes"],
  cameraColumns: ["Camera", "State", "Captured per second", "Labelled per second", "Shown per second", "Age", "Dropped", "Notes"],

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
  /** @param {Dropped[]} dropped */
  dropped: (dropped) =>
    dropped
      .map(({ service, reason, count, per_s }) => {
        const now = per_s > 0 ? ` (${digits(per_s)}/s)` : "";
        return `${service ? `${service}: ` : ""}${reason} ${count}${now}`;
      })
      .join(", "),
  /** @param {(string | null | undefined)[]} lines each once */
  note: (lines) => [...new Set(lines)].flatMap((line) => (line ? shared.reason(line) : [])).join("; "),

  none: "No cameras yet",
  /** @param {number} count */
  count: (count) => `Cameras (${count})`,
  away: shared.away,
  /** @param {string} why the server's words, or the status of its answer */
  refused: (why) => `The server does not report its status: ${why}`,
};
