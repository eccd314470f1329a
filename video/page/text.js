/** All texts of the page. */

import { spanOf, timeOf } from "./times.js";

/** @typedef {import("./live/types.js").State} State */
/** @typedef {import("./sparkline.js").Figures} Figures */

/** A state on display: one of the server's, or "away" while the server does not answer. */
/** @typedef {State | "away"} Shown */

/** @type {Record<Shown, string>} */
const states = {
  live: "Live",
  stale: "Label stale",
  "model-away": "Model away",
  "no-signal": "No signal",
  "broker-away": "Broker away",
  "never-seen": "No picture yet",
  connecting: "Connecting",
  paused: "Paused",
  away: "Unknown",
};

/** The label if a model recognised nothing. */
const NOTHING = "Nothing";

/** @param {number} score 0 to 1 */
const score = (score) => `${Math.round(100 * score)}%`;

/** @param {string} words the server's */
const sentence = (words) => words.charAt(0).toUpperCase() + words.slice(1);

/** @param {(value: number) => string} unit */
const trend = (unit) => (/** @type {string} */ name, /** @type {Figures | null} */ figures) => {
  if (!figures) return `${name}, last two minutes: none`;
  const now = Number.isFinite(figures.last) ? unit(figures.last) : "none";
  return `${name}, last two minutes: now ${now}, lowest ${unit(figures.low)}, highest ${unit(figures.high)}`;
};

/** The states that have no time: no picture has come that could be old. @type {Shown[]} */
const TIMELESS = ["never-seen"];

export const text = {
  title: "Streamlens",
  /** @param {string} camera */
  titleOf: (camera) => `${camera} · Streamlens`,
  unsupported: {
    heading: "This browser is too old for this page",
    lead: "It needs module workers and OffscreenCanvas. The plain streams at stream/NAME play in any browser.",
    checks: [],
  },

  states,
  /** After the number of cameras in each state. @type {Record<State, string>} */
  counted: {
    live: "live",
    stale: "stale",
    "model-away": "without model",
    "no-signal": "no signal",
    "broker-away": "broker away",
    "never-seen": "never seen",
    connecting: "connecting",
    paused: "paused",
  },
  /** After the words for a state. @param {Shown} state @param {Date | null} time */
  since: (state, time) => (state === "live" || TIMELESS.includes(state) || !time ? "" : `since ${timeOf(time)}`),
  /** On top of the picture of a camera that is not live. @param {Shown} state @param {Date | null} time */
  veil: (state, time) => {
    if (TIMELESS.includes(state)) return states[state];
    const words = state === "away" && time ? "No connection" : states[state];
    return time ? `${words} since ${timeOf(time)}` : words;
  },
  /** Why a camera is in its state. */
  reason: sentence,
  /** For screen readers. @param {string} camera @param {State} state @param {string | null} reason */
  news: (camera, state, reason) => `${camera}: ${states[state]}${reason ? `, ${reason}` : ""}`,
  /** @param {number} count of cameras that changed state or were removed */
  muchNews: (count) => `${count} cameras have changed or were removed`,
  /** The heading of cameras without a group. */
  noGroup: "Other cameras",
  /** @param {number} count */
  inGroup: (count) => `${count} ${count === 1 ? "camera" : "cameras"}`,
  /** @param {number} at @param {number} of */
  place: (at, of) => `Place ${at} of ${of} on the wall`,
  /** @param {string} camera @param {number} at @param {number} of */
  moved: (camera, at, of) => `${camera}: place ${at} of ${of}`,
  earlier: "Move to an earlier place",
  later: "Move to a later place",

  /** When the server has removed a camera, or the user may no longer see it. @param {string} camera */
  removed: (camera) => `“${camera}” is no longer available`,

  nothing: NOTHING,
  noAnswer: "No answer",
  noLabel: "No label",
  noModel: "–",
  score,
  /** @param {number} count */
  boxes: (count) => `${count} ${count === 1 ? "box" : "boxes"}`,
  /** @param {number | null} ms */
  labelAge: (ms) => (ms === null ? "age unknown" : `${spanOf(ms)} old`),

  /** @param {number} fps */
  fps: (fps) => `${fps.toFixed(fps > 0 && fps < 10 ? (fps < 0.1 ? 2 : 1) : 0)} fps`,
  /** @param {number} fps */
  drawn: (fps) => (Number.isNaN(fps) ? "" : `${Math.round(fps)} drawn`),
  /** @param {number} ms */
  age: (ms) => `${spanOf(ms)} old`,
  /** @param {number} ms */
  slow: (ms) => `Slow connection: ${spanOf(ms)} old`,
  noPicture: "No picture yet",
  /** @param {number} width @param {number} height */
  size: (width, height) => `${width} × ${height}`,

  /** @param {string} camera */
  picture: (camera) => `Picture from ${camera}`,
  /** @param {string} camera */
  enlarge: (camera) => `Enlarge ${camera}`,
  back: "All cameras",
  /** @param {string} camera */
  previous: (camera) => `Previous camera: ${camera}`,
  /** @param {string} camera */
  next: (camera) => `Next camera: ${camera}`,

  fullscreen: "Full screen",
  noFullscreen: "The browser refused to show the picture on the full screen",
  snapshot: "Save",
  snapshotTitle: "Save the newest picture",
  stream: "Stream",
  streamAddress: "Stream address for video players",
  noStream: "Not available: in an address, “.” and “..” are folders",
  trends: "Last two minutes",
  ageTrend: "Picture age",
  scoreTrendOf: trend(score),
  ageTrendOf: trend(spanOf),
  span: spanOf,
  comparison: "Models side by side",
  comparisonNote: "Answer time (median) and agreement over the last two minutes. Labels are compared if they are about the same picture.",
  compared: {
    label: "Label",
    probability: "Probability",
    took: "Answer time",
    age: "Label age",
    same: "Same label",
  },
  noFigure: "–",
  /** @param {number} score 0 to 1 */
  probability: (score) => `${(100 * score).toFixed(1)}%`,
  /** @param {number} ms NaN if it is not known */
  took: (ms) => (Number.isFinite(ms) ? spanOf(ms) : "–"),
  /** @param {number} same @param {number} of */
  same: (same, of) => (of ? `${same} of ${of}` : "–"),
  labels: "Recent labels",
  noLabels: "No labels yet",
  /** @param {string | null} label */
  label: (label) => label ?? NOTHING,
  /** @param {string} label what it was before */
  was: (label) => `was ${label}`,
  /** @param {string | null} label @param {Date} time */
  snapshotOf: (label, time) => `Picture${label === null ? "" : ` of ${label}`} at ${timeOf(time)}`,
  time: timeOf,

  status: "Status of all services",
  /** @param {"system" | "dark" | "light"} theme */
  theme: (theme) => `Colours: ${{ system: "same as system", dark: "dark", light: "light" }[theme]}`,
  logout: "Log out",
  keys: "Keyboard shortcuts",
  close: "Close",
  /** @type {[string[], string][]} */
  keyList: [
    [["←", "→", "↑", "↓"], "wall: move between cameras"],
    [["Enter"], "wall: enlarge the camera"],
    [["Shift", "← → ↑ ↓"], "wall: move the camera to another place"],
    [["←", "→"], "single view: previous or next camera"],
    [["Esc"], "single view: back to all cameras"],
    [["F"], "single view: full screen"],
    [["S"], "single view: save the picture"],
    [["?"], "show or hide this list"],
  ],

  /** When something went wrong inside the page. @param {string} why the browser's words */
  failed: (why) => `Error on this page: ${why}`,
  /** @param {Date} time */
  away: (time) => `No connection to the server since ${timeOf(time)}; retrying`,
  /** @param {string} why the server's words */
  refused: (why) => ({ heading: "No connection for live pictures", lead: sentence(why), checks: [] }),
  empty: {
    heading: "Waiting for the first frame",
    lead: "Cameras appear here as soon as they are reported or their first frame arrives. If none appears, check that:",
    checks: [
      "the producer can reach its camera: VIDEOLINK is correct, and the log reports captured frames;",
      "Kafka is running, and producer, consumer and video use the same address and topic names;",
      "the consumer is running: every service reports on /readyz what it is waiting for.",
    ],
  },
  /** While there are no cameras, for users who may add some, or could. */
  first: {
    heading: "No cameras yet",
    lead: "Add a camera, and its pictures appear here.",
    checks: [],
  },
  /** @param {string} why how to get the permission */
  firstElsewhere: (why) => ({ heading: "No cameras yet", lead: sentence(why), checks: [] }),
  demo: "This is the demo clip. Add a camera of your own to see it here.",
  /** While nothing can be read. @param {string} reason the server's words */
  broker: (reason) => ({ heading: "No frames from Kafka", lead: text.reason(reason), checks: [] }),
  /** @param {string} camera */
  unknown: (camera) => ({
    heading: `No camera named “${camera}” yet`,
    lead: "It appears here as soon as its first frame arrives.",
    checks: [],
  }),
};
