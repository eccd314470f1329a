/** The end of the bar: the status page, the theme, the keyboard shortcuts and the current user. */

import { byId, make, mark, setMark } from "./dom.js";
import { text } from "./text.js";
import { nextTheme, theme } from "./theme.js";

/** @typedef {import("./session.js").Session} Session */
/** @typedef {import("./theme.js").Theme} Theme */

const dialog = /** @type {HTMLDialogElement} */ (byId("keys"));

/** Set up the buttons, and the link to the status page. */
export function setUpTools() {
  const status = byId("status");
  status.append(mark("sign-status"));
  status.title = text.status;
  status.setAttribute("aria-label", text.status);
  setUpTheme(byId("theme"));
  setUpKeys(byId("help"));
}

/** Show or hide the list of keyboard shortcuts. */
export function toggleKeys() {
  if (dialog.open) dialog.close();
  else dialog.showModal();
}

/** @param {HTMLElement} button */
function setUpTheme(button) {
  const sign = mark(`theme-${theme()}`);
  const show = (/** @type {Theme} */ theme) => {
    setMark(sign, `theme-${theme}`);
    button.title = text.theme(theme);
    button.setAttribute("aria-label", text.theme(theme));
  };
  button.append(sign);
  button.addEventListener("click", () => show(nextTheme()));
  show(theme());
}

/** @param {HTMLElement} button */
function setUpKeys(button) {
  button.title = text.keys;
  button.setAttribute("aria-label", text.keys);
  button.addEventListener("click", toggleKeys);
  const heading = make("h2", "heading", text.keys);
  heading.id = "keys-heading";
  dialog.setAttribute("aria-labelledby", heading.id);
  const list = make("dl", "key-list");
  for (const [keys, does] of text.keyList) {
    const term = make("dt");
    term.append(...keys.map((key) => make("kbd", "", key)));
    list.append(term, make("dd", "", does));
  }
  const close = make("button", "path", text.close);
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", ({ target }) => target === dialog && dialog.close()); // outside its content
  dialog.replaceChildren(heading, list, close);
}

/** Show the user's name and the button to log out, if a login is required. @param {Session | null} session */
export function showUser(session) {
  if (session?.access !== "user") return;
  byId("user").textContent = session.name ?? "";
  byId("logout").textContent = text.logout;
  byId("logout").title = session.name ?? ""; // for narrow screens, where it is hidden
  byId("session").hidden = false;
}
