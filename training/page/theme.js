/** Dark or light colours: the system's setting or the user's choice. */

/** @typedef {"system" | "dark" | "light"} Theme */

const KEY = "streamlens.theme";
const NEXT = /** @type {Record<Theme, Theme>} */ ({ system: "dark", dark: "light", light: "system" });

/** @returns {Theme} */
export function theme() {
  const { theme } = document.documentElement.dataset;
  return theme === "dark" || theme === "light" ? theme : "system";
}

/**
 * Switch to the next theme and remember it.
 * @returns {Theme}
 */
export function nextTheme() {
  const next = NEXT[theme()];
  show(next);
  try {
    localStorage.setItem(KEY, next);
  } catch {
    // The browser stores nothing for this page: the choice lasts until the page is closed.
  }
  return next;
}

/** @param {string | null} name */
function show(name) {
  if (name === "dark" || name === "light") document.documentElement.dataset.theme = name;
  else delete document.documentElement.dataset.theme;
}

try {
  show(localStorage.getItem(KEY));
} catch {
  // The browser stores nothing for this page.
}
