/** Who uses the page, and what the server lets them do. */

/**
 * @typedef {object} Session
 * @property {"open" | "user"} access
 * @property {string} [name] the user's, if a login is required
 * @property {boolean} [may_change] whether the user may add, change and remove cameras
 * @property {string | null} [why_not] how to get the permission
 * @property {boolean} [cameras_as_data] whether anybody can have it here
 */

/**
 * Ask the server.
 * @returns {Promise<Session | null>} null if it does not answer, or requires a login
 */
export async function loadSession() {
  const answer = await fetch("api/session", { cache: "no-store" }).catch(() => null);
  return answer?.ok ? answer.json().catch(() => null) : null;
}
