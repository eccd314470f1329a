/** The message in the middle of the page when there is no picture to show. */

import { byId, make, setHidden } from "./dom.js";

/** @typedef {{heading: string, lead: string, checks: string[]}} Words */

const place = byId("message");

/** @param {Words | null} words null to hide the message */
export function showMessage(words) {
  const key = words ? `${words.heading} ${words.lead}` : "";
  setHidden(place, words === null);
  if (place.dataset.shown === key) return;
  place.dataset.shown = key;
  place.replaceChildren(...(words ? contentOf(words) : []));
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
