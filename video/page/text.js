/** Everything the page says, in one place. */

import { spanOf, timeOf } from "./times.js";

/** @typedef {import("./live/types.js").State} State */
/** @typedef {import("./sparkline.js").Figures} Figures */

/** What a camera can be in: the server's states, and "away" while the server does not tell. */
/** @typedef {State | "away"} Shown */

/** @type {Record<Shown, string>} */
const states = {
  live: "Live",
  stale: "Label stale",
  "model-away": "Model away",
  "no-signal": "No signal",
  "broker-away": "Broker away",
  away: "Not known",
};

/** What a model says that saw nothing it knows. */
const NOTHING = "Nothing";

/** @param {number} score 0 to 1 */
const score = (score) => `${Math.round(100 * score)} %`;

/** @param {number} count @param {string} one */
const many = (count, one) => `${count} ${one}${count === 1 ? "" : one.endsWith("x") ? "es" : "s"}`;

/** @param {(value: number) => string} unit */
const trend = (unit) => (/** @type {string} */ name, /** @type {Figures | null} */ figures) => {
  if (!figures) return `${name}, last two minutes: none`;
  const now = Number.isFinite(figures.last) ? unit(figures.last) : "none";
  return `${name}, last two minutes: now ${now}, lowest ${unit(figures.low)}, highest ${unit(figures.high)}`;
};

export const text = {
  title: "Streamlens",
  /** @param {string} camera */
  titleOf: (camera) => `${camera} · Streamlens`,
  unsupported: {
    heading: "This browser is too old for this page",
    lead: "It needs module workers and OffscreenCanvas. The streams themselves, at stream/NAME, play anywhere.",
    checks: [],
  },

  states,
  /** Behind the count of cameras in each state. @type {Record<State, string>} */
  counted: {
    live: "live",
    stale: "stale",
    "model-away": "without model",
    "no-signal": "no signal",
    "broker-away": "broker away",
  },
  /** @param {Date} time */
  since: (time) => `since ${timeOf(time)}`,
  /** Over the picture of a camera in one of these states. @param {Shown} state @param {Date | null} time */
  veil: (state, time) => {
    const words = state === "away" && time ? "No connection" : states[state];
    return time ? `${words} since ${timeOf(time)}` : words;
  },
  /** To screen readers, when a camera's state changed. @param {string} camera @param {State} state */
  news: (camera, state) => `${camera}: ${states[state]}`,
  /** @param {number} count of cameras that changed */
  muchNews: (count) => `${count} cameras have changed`,
  /** When the server has removed a camera, or the user may no longer see it. @param {string} camera */
  removed: (camera) => `“${camera}” is no longer available`,

  nothing: NOTHING,
  noAnswer: "No answer",
  noLabel: "No label",
  noModel: "–",
  score,
  /** @param {number} count */
  boxes: (count) => many(count, "box"),
  /** @param {number | null} ms */
  labelAge: (ms) => (ms === null ? "age unknown" : `${spanOf(ms)} old`),

  /** @param {number} fps */
  fps: (fps) => `${fps.toFixed(fps > 0 && fps < 10 ? 1 : 0)} fps`,
  /** @param {number} fps */
  drawn: (fps) => (Number.isNaN(fps) ? "" : `${Math.round(fps)} drawn`),
  /** @param {number} ms */
  age: (ms) => `${spanOf(ms)} old`,
  /** @param {number} ms */
  slow: (ms) => `Line slow: ${spanOf(ms)} old`,
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
  noFullscreen: "This browser does not allow full screen here",
  snapshot: "Save",
  snapshotTitle: "Save the newest picture",
  stream: "Stream",
  streamAddress: "Address for players",
  noStream: "None: browsers and players read “.” and “..” as folders",
  trends: "Last two minutes",
  ageTrend: "Picture’s age",
  scoreTrendOf: trend(score),
  ageTrendOf: trend(spanOf),
  span: spanOf,
  labels: "Last labels",
  noLabels: "No label yet",
  /** @param {string | null} label */
  label: (label) => label ?? NOTHING,
  /** @param {string} label what it was before */
  was: (label) => `was ${label}`,
  /** @param {string | null} label @param {Date} time */
  snapshotOf: (label, time) => `Picture of ${label ?? "nothing"} at ${timeOf(time)}`,
  time: timeOf,

  /** @param {"system" | "dark" | "light"} theme */
  theme: (theme) => `Colours: ${{ system: "as the system", dark: "dark", light: "light" }[theme]}`,
  logout: "Log out",
  keys: "Keys",
  close: "Close",
  /** What the keys do. @type {[string[], string][]} */
  keyList: [
    [["←", "→", "↑", "↓"], "on the wall: to the camera beside"],
    [["Enter"], "on the wall: enlarge the camera"],
    [["←", "→"], "enlarged: previous or next camera"],
    [["Esc"], "enlarged: back to all cameras"],
    [["F"], "enlarged: full screen"],
    [["S"], "enlarged: save the picture"],
    [["?"], "this list"],
  ],

  /** @param {Date} time */
  away: (time) => `No connection to the server since ${timeOf(time)}; trying again`,
  empty: {
    heading: "Waiting for the first frame",
    lead: "Cameras show up here by themselves as soon as their first frame arrives. If none does, check that:",
    checks: [
      "the producer reaches its camera: the address in VIDEOLINK is right, and its log says it captures;",
      "Kafka is up, and producer, consumer and video agree on its address and on the topics’ names;",
      "the consumer runs: each service says on /readyz what it still waits for.",
    ],
  },
  /** @param {string} camera */
  unknown: (camera) => ({
    heading: `No camera named “${camera}” yet`,
    lead: "It shows up here as soon as its first frame arrives.",
    checks: [],
  }),
};
