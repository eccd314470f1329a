/** What the server answers at api/status, and what the page shows of it. */

/** @typedef {import("../live/types.js").State} CameraState */
/** @typedef {"ready" | "not-ready" | "stopped" | "silent"} ProcessState */

/**
 * @typedef {object} Dropped
 * @property {string} reason
 * @property {number} count since the processes started
 * @property {number} per_s now
 * @property {string} [service] of a camera's drops: which one dropped them
 */

/**
 * Figures are null if they are not known; `why` says the reason.
 * @typedef {object} Figures
 * @property {number | null} in_per_s
 * @property {number | null} out_per_s
 * @property {number | null} age_ms
 * @property {Dropped[]} dropped
 * @property {string | null} why
 */

/** @typedef {{ instance: string, state: ProcessState, reason: string | null, since: string } & Figures} Process */

/**
 * @typedef {{
 *   service: string,
 *   replicas: number,
 *   states: Record<string, number>,
 *   processes: Process[] | null,
 * } & Figures} Service
 */

/**
 * @typedef {object} Camera
 * @property {string} name
 * @property {CameraState} state
 * @property {string | null} reason
 * @property {number | null} captured
 * @property {number | null} labelled
 * @property {number | null} shown
 * @property {number | null} age_ms
 * @property {Dropped[]} dropped
 * @property {Record<string, string>} why for each figure that is null
 */

/**
 * A model at a server; the server is null for those who may not see hosts.
 * @typedef {object} ModelServer
 * @property {string} model
 * @property {string | null} server
 * @property {number} consumers
 * @property {"ready" | "not-ready"} state
 * @property {string | null} reason
 * @property {number | null} requests_per_s
 * @property {number | null} frames_per_s
 * @property {number | null} answer_ms
 * @property {number | null} age_ms
 * @property {Dropped[]} failed requests without a valid answer
 * @property {string | null} why some of the figures are null
 */

/** @typedef {{ services: Service[], model_servers: ModelServer[], cameras: Camera[], notes: string[] }} Status */

/**
 * A row of a table, in words.
 * @typedef {object} Row
 * @property {string} key
 * @property {"service" | "process" | "model" | "camera"} kind
 * @property {string} name
 * @property {string} state
 * @property {string} tone a camera's state, for the colour
 * @property {string[]} figures
 * @property {string} dropped
 * @property {string} note
 */

export {};
