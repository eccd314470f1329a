/** Routes: they are in the fragment of the page's address, such as `#/results/3?deployment=2`. */

/** @typedef {{name: string, rest: string[], query: URLSearchParams}} Route */

/** @param {string} hash @returns {Route} */
export function routeOf(hash) {
  const [path, query = ""] = hash.replace(/^#?\/?/, "").split("?", 2);
  const [name = "", ...rest] = path.split("/").filter((part) => part !== "").map(decoded);
  return { name, rest, query: new URLSearchParams(query) };
}

/**
 * @param {(string | number)[]} parts
 * @param {Record<string, string | number>} [query]
 */
export function routeTo(parts, query = {}) {
  const pairs = new URLSearchParams(Object.entries(query).map(([name, value]) => [name, String(value)]));
  return `#/${parts.map(encodeURIComponent).join("/")}${pairs.size ? `?${pairs}` : ""}`;
}

/** Return the id in a part of a route; null if it is none. @param {string | null | undefined} part */
export function idIn(part) {
  return part && /^\d{1,10}$/.test(part) ? Number(part) : null;
}

/** @param {string} part */
function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
