/** The server's answers, and the loop that asks for them. */

/** @typedef {"live" | "stale" | "no-signal"} State */

/**
 * @typedef {object} Result
 * @property {string} label
 * @property {number} score 0 to 1
 * @property {number[]} [box] x, y, width, height
 */

/**
 * @typedef {object} Prediction
 * @property {string} model
 * @property {Result[]} results empty when the model saw nothing it knows
 * @property {number | null} seq
 * @property {number | null} age_ms
 */

/**
 * @typedef {object} Camera
 * @property {string} name
 * @property {State} state
 * @property {string} since when that state began, ISO 8601
 * @property {number} fps
 * @property {number} age_ms
 * @property {number} seq
 * @property {number} width
 * @property {number} height
 * @property {Prediction[]} predictions
 */

const EVERY = 1000; // ms
const LONGEST_WAIT = 5000; // ms, between two tries while the server is away
const DEADLINE = 5000; // ms

/** @param {string} name */
export const streamUrl = (name) => `/stream/${encodeURIComponent(name)}`;

/** @param {string} name @param {number} seq */
export const snapshotUrl = (name, seq) => `/snapshot/${encodeURIComponent(name)}.jpg?seq=${seq}`;

/** @returns {Promise<Camera[] | null>} null when the server does not answer, or not with a list */
async function askCameras() {
  try {
    const answer = await fetch("/api/cameras", { cache: "no-store", signal: AbortSignal.timeout(DEADLINE) });
    const cameras = answer.ok ? await answer.json() : null;
    return Array.isArray(cameras) ? cameras : null;
  } catch {
    return null; // refused, timed out, cut off, or not JSON: away, whatever the reason
  }
}

/**
 * Ask for the cameras each second, for ever; less often while the server is away.
 * @param {(cameras: Camera[] | null) => void} tell called with each answer; null when there is none
 * @returns {() => void} asks at once, when it would only ask later
 */
export function pollCameras(tell) {
  let wait = EVERY;
  let timer = 0;
  const ask = async () => {
    timer = 0;
    const cameras = await askCameras();
    wait = cameras ? EVERY : Math.min(wait * 1.5, LONGEST_WAIT);
    timer = window.setTimeout(ask, wait);
    tell(cameras);
  };
  ask();
  return () => {
    if (!timer) return; // an answer is on its way
    window.clearTimeout(timer);
    ask();
  };
}
