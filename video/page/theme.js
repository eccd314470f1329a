/** Dark or light: as the system has it, or as the user chose. */

/** @typedef {"system" | "dark" | "light"} Theme */

const KEY = "streamlens.theme";
const NEXT = /** @type {Record<Theme, Theme>} */ ({ system: "dark", dark: "light", light: "system" });

/** @returns {Theme} */
export function theme() {
  const { theme } = document.documentElement.dataset;
  return theme === "dark" || theme === "light" ? theme : "system";
}

/**
 * Take the next one, and remember it.
 * @returns {Theme}
 */
export function nextTheme() {
  const next = NEXT[theme()];
  show(next);
  try {
    localStorage.setItem(KEY, next);
  } catch {
    // Without a place to remember it, it holds until the page is left.
  }
  return next;
}

/** @param {string | null} wanted */
function show(wanted) {
  if (wanted === "dark" || wanted === "light") document.documentElement.dataset.theme = wanted;
  else delete document.documentElement.dataset.theme;
}

try {
  show(localStorage.getItem(KEY));
} catch {
  // The browser keeps nothing for this page.
}
