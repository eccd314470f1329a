/** What forms send. */

/**
 * Return what to send: fields that are empty are left out, so that they have the server's defaults. What is not a number
 * is sent as it is: the server says what it expects.
 * @param {Record<string, string>} values
 * @param {string[]} checks the names of those that are check boxes
 */
export function sentOf(values, checks = []) {
  const given = Object.entries(values).filter(([name, value]) => checks.includes(name) || value.trim() !== "");
  return Object.fromEntries(given.map(([name, value]) => [name, checks.includes(name) ? value !== "" : value.trim()]));
}

/** Return a model's name as a part of a topic's. @param {string} name */
export const topicOf = (name) => name.replace(/[^A-Za-z0-9._-]+/g, "-").replace(/^[.-]+|[.-]+$/g, "") || "model";
