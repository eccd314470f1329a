/** What this browser keeps for the page. Without storage, or if it is full, nothing is kept. */

/**
 * Return what was kept under a name; null if there is nothing, or nothing that can be read.
 * @param {string} name
 * @returns {unknown}
 */
export function readStored(name) {
  try {
    return JSON.parse(localStorage.getItem(`streamlens.${name}`) ?? "null");
  } catch {
    return null;
  }
}

/** @param {string} name @param {unknown} value */
export function store(name, value) {
  try {
    localStorage.setItem(`streamlens.${name}`, JSON.stringify(value));
  } catch {
    // The browser stores nothing more for this page: the value lasts until the page is closed.
  }
}
