/** Addresses on the server. All are relative to the page, so that it works under any root path. */

/**
 * Return null for "." and "..": in an address they name another folder, however they are encoded.
 * @param {string} name
 */
export const streamOf = (name) => (name === "." || name === ".." ? null : `stream/${encodeURIComponent(name)}`);

/** @param {string} name */
export const snapshotOf = (name) => `snapshot/${encodeURIComponent(name)}.jpg`;

/** The page with one camera enlarged. @param {string} name */
export const viewOf = (name) => `?camera=${encodeURIComponent(name)}`;

/** @param {string} name @param {number} limit the most label events to return, newest first */
export const labelsOf = (name, limit) => `api/labels?camera=${encodeURIComponent(name)}&limit=${limit}`;

/** @param {string} name */
export const eventsOf = (name) => `api/events?camera=${encodeURIComponent(name)}`;

/** @param {string} name */
export const cameraOf = (name) => `api/cameras/${encodeURIComponent(name)}`;

/** @param {string} name */
export const previewOf = (name) => `api/previews/${encodeURIComponent(name)}`;

/** The login page. @param {string} back the address to return to afterwards */
export const loginTo = (back) => `login?next=${encodeURIComponent(back)}`;
