/** The message in the middle of the page when there is no picture to show. */

import { byId, make, setHidden } from "./dom.js";

/** @typedef {{heading: string, lead: string, checks: string[]}} Words */
/** What the user can do about it. @typedef {{words: string, run: () => void}} Act */

const place = byId("message");

/** @param {Words | null} words null to hide the message @param {Act | null} [act] */
export function showMessage(words, act = null) {
  const key = words ? `${words.heading} ${words.lead} ${act?.words ?? ""}` : "";
  setHidden(place, words === null);
  if (place.dataset.shown === key) return;
  place.dataset.shown = key;
  place.replaceChildren(...(words ? contentOf(words) : []), ...(words && act ? [buttonOf(act)] : []));
}

/** @param {Words} words */
function contentOf({ heading, lead, checks }) {
  const finder = make("div", "finder");
  finder.setAttribute("aria-hidden", "true");
  const content = [finder, make("h2", "heading", heading), make("p", "lead", lead)];
  if (!checks.length) return content;
  const list = make("ul", "checks");
  list.append(...checks.map((check) => make("li", "", check)));
  return [...content, list];
}

/** @param {Act} act */
function buttonOf({ words, run }) {
  const button = make("button", "path main", words);
  button.type = "button";
  button.addEventListener("click", run);
  return button;
}
