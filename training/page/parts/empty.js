/** What a page shows while there is nothing: what to do next. */

import { make } from "../dom.js";

/**
 * @param {{heading: string, lead: string, act?: string}} words
 * @param {string} [href] where the button leads
 */
export function empty({ heading, lead, act }, href) {
  const element = make("section", "message");
  const finder = make("div", "finder");
  finder.setAttribute("aria-hidden", "true");
  element.append(finder, make("h3", "heading", heading), make("p", "lead", lead));
  if (act && href) {
    const link = make("a", "path main", act);
    link.href = href;
    element.append(link);
  }
  return element;
}
