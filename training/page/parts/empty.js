/** What a page shows while there is nothing: what to do next. */

import { make } from "../dom.js";

/**
 * @param {{heading: string, lead: string, act?: string}} words
 * @param {string} [href] where the button leads
 * @param {boolean} [changes] whether only those who may change something need it
 */
export function empty({ heading, lead, act }, href, changes = false) {
  const element = make("section", "message");
  const finder = make("div", "finder");
  finder.setAttribute("aria-hidden", "true");
  element.append(finder, make("h3", "heading", heading), make("p", "lead", lead));
  if (act && href) {
    const link = make("a", changes ? "path main changes" : "path main", act);
    link.href = href;
    element.append(link);
  }
  return element;
}
