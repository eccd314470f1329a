/** The question before something is deleted or stopped. */

import { byId, ignoreDoubleClicks, make, setHidden, setText } from "../dom.js";
import { loginLink } from "../session.js";
import { text } from "../text/common.js";
import { focusTitle } from "./focus.js";

/** @typedef {import("../requests.js").Answer} Answer */

/**
 * @typedef {object} Question
 * @property {string} title
 * @property {string} lead
 * @property {string | null} act the button's words; null if it cannot be done
 * @property {boolean} [danger] whether something is lost
 * @property {HTMLElement[]} [more] such as a field
 * @property {() => Promise<Answer>} run
 * @property {() => void} done called when it was carried out
 */

const dialog = /** @type {HTMLDialogElement} */ (byId("confirm"));
ignoreDoubleClicks(dialog);
// What opened it, and would get the focus back, may be gone.
dialog.addEventListener("close", () => document.activeElement === document.body && focusTitle());

/** @param {Question} question */
export function ask({ title, lead, act, danger = true, more = [], run, done }) {
  const heading = make("h2", "heading", title);
  const problem = make("p", "problem");
  const cancel = make("button", "path", text.cancel);
  const go = make("button", danger ? "path danger" : "path main", act ?? "");
  const end = make("div", "form-end");
  heading.id = "confirm-title";
  heading.dir = "auto";
  problem.hidden = true;
  problem.setAttribute("role", "alert");
  dialog.setAttribute("aria-labelledby", heading.id);
  cancel.type = go.type = "button";
  cancel.autofocus = true;
  cancel.addEventListener("click", () => dialog.close());
  end.append(cancel, ...(act === null ? [] : [go]));
  go.addEventListener("click", async () => {
    if (go.getAttribute("aria-disabled") === "true") return;
    go.setAttribute("aria-disabled", "true");
    const answer = await run();
    go.removeAttribute("aria-disabled");
    if (answer.ok) {
      dialog.close();
      done();
      return;
    }
    setHidden(problem, false);
    if (answer.status === 401) problem.replaceChildren(text.loggedOut, " ", loginLink(text.logIn));
    else setText(problem, text.sentence(answer.why));
  });
  dialog.replaceChildren(heading, make("p", "", lead), ...more, problem, end);
  dialog.showModal();
}

/** Close it, such as when another page is opened. */
export function dismiss() {
  if (dialog.open) dialog.close();
}
