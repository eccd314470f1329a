/** Everything the page says, in one place, and how it writes times and numbers. */

/** @typedef {import("./api.js").State} State */

/** What a camera can be in: the server's states, and "away" while the server does not answer. */
/** @typedef {State | "away"} Shown */

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });

/**
 * A time of day in the browser's zone, with the date unless it is today's.
 * @param {Date} time
 * @param {Date} [now]
 */
export function timeOf(time, now = new Date()) {
  if (Number.isNaN(time.getTime())) return "?";
  const today = time.toDateString() === now.toDateString();
  return today ? clock.format(time) : `${day.format(time)}, ${clock.format(time)}`;
}

/**
 * A length of time, as coarse as it is long.
 * @param {number} ms
 */
export function spanOf(ms) {
  if (ms < SECOND) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 10 * SECOND) return `${(ms / SECOND).toFixed(1)} s`;
  if (ms < MINUTE) return `${Math.round(ms / SECOND)} s`;
  if (ms < HOUR) return `${Math.round(ms / MINUTE)} min`;
  return ms < 2 * DAY ? `${Math.round(ms / HOUR)} h` : `${Math.round(ms / DAY)} days`;
}

/** @type {Record<Shown, string>} */
const states = { live: "Live", stale: "Label stale", "no-signal": "No signal", away: "Not known" };

export const text = {
  title: "Streamlens",
  /** @param {string} camera */
  titleOf: (camera) => `${camera} · Streamlens`,

  states,
  /** Behind the count of cameras in each state. @type {Record<State, string>} */
  counted: { live: "live", stale: "stale", "no-signal": "no signal" },
  /** @param {Date} time */
  since: (time) => `since ${timeOf(time)}`,
  /** @param {Date} time */
  noSignal: (time) => `No signal since ${timeOf(time)}`,
  preview: "1 fps preview",

  nothing: "Nothing",
  noLabel: "No label",
  noModel: "–",
  /** @param {number} score 0 to 1 */
  score: (score) => `${Math.round(100 * score)} %`,
  /** @param {number | null} ms */
  labelAge: (ms) => (ms === null ? "age unknown" : `${spanOf(ms)} old`),

  /** @param {number} fps */
  fps: (fps) => `${fps.toFixed(fps > 0 && fps < 10 ? 1 : 0)} fps`,
  /** @param {number} ms */
  age: (ms) => `${spanOf(ms)} old`,
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

  /** @param {Date} time */
  away: (time) => `No connection to the server since ${timeOf(time)}; trying again`,

  empty: {
    heading: "Waiting for the first frame",
    lead: "Cameras show up here by themselves as soon as their first frame arrives. If none does, check that:",
    checks: [
      "the producer reaches its camera: the address in VIDEOLINK is right, and its log says it captures;",
      "Kafka is up, and producer, consumer and video agree on its address and on the topics' names;",
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
