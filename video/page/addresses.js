/** Where things are on the server, all of them relative to the page, so that it works under any root path. */

/**
 * Null for a name that no address can hold: "." and ".." lead to another folder, however they are written.
 * @param {string} name
 */
export const streamOf = (name) => (name === "." || name === ".." ? null : `stream/${encodeURIComponent(name)}`);

/** @param {string} name */
export const snapshotOf = (name) => `snapshot/${encodeURIComponent(name)}.jpg`;

/** The page itself, with one camera enlarged. @param {string} name */
export const viewOf = (name) => `?camera=${encodeURIComponent(name)}`;

/** @param {string} name @param {number} limit how many label events at most, newest first */
export const labelsOf = (name, limit) => `api/labels?camera=${encodeURIComponent(name)}&limit=${limit}`;

/** @param {string} name */
export const eventsOf = (name) => `api/events?camera=${encodeURIComponent(name)}`;

/** The login, which leads back to where the user was. @param {string} back */
export const loginTo = (back) => `login?next=${encodeURIComponent(back)}`;
