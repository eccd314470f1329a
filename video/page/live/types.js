/** The values that the page's modules exchange. Only types: nothing here runs. */

/**
 * @typedef {"live" | "stale" | "model-away" | "no-signal" | "broker-away" | "never-seen" | "connecting" | "paused"} State
 */

/**
 * @typedef {object} Result
 * @property {string} label
 * @property {number} score 0 to 1
 * @property {number[]} [box] x, y, width, height in pixels of the full picture
 */

/**
 * @typedef {object} Prediction
 * @property {string} model
 * @property {Result[]} results empty if the model recognised nothing or has no answer
 * @property {number | null} seq the frame that was classified; null while the model has no answer
 * @property {number | null} age_ms null while the model has no answer
 * @property {number} [took_ms] how long the model took to answer; missing if that is not known
 * @property {boolean} stale whether the answer is too old to be trusted
 */

/**
 * @typedef {object} Camera
 * @property {string} name
 * @property {State} state
 * @property {string | null} reason why, in one line; null if nothing is known to be wrong
 * @property {string} since when that state began, ISO 8601
 * @property {number} fps
 * @property {number | null} age_ms the age of the newest frame when the server sent this; null if there is none
 * @property {number} seq
 * @property {number} width 0 if there is no frame
 * @property {number} height
 * @property {Prediction[]} predictions
 * @property {string} [group] the heading under which it is shown; empty if it has none
 */

/**
 * News about the picture on a camera's canvas.
 * @typedef {object} News
 * @property {number} seq
 * @property {number} age_ms from the capture to the drawing, by the server's clock
 * @property {number} width of the picture as it was received, px
 * @property {number} height
 * @property {number} fps pictures drawn per second; NaN while there are too few
 */

/**
 * Messages from the page to the worker. `open` is sent once, as the first.
 * @typedef {{type: "open", url: string}
 *   | {type: "attach", name: string, canvas: OffscreenCanvas}
 *   | {type: "detach", name: string}
 *   | {type: "watch", widths: Map<string, number>}
 *   | {type: "retry"}} ToWorker
 */

/**
 * Messages from the worker to the page.
 * @typedef {{type: "cameras", cameras: Camera[], broker: string | null}
 *   | {type: "pictures", pictures: Map<string, News>}
 *   | {type: "away", since: number}
 *   | {type: "failed", why: string}} FromWorker
 */

export {};
