/** How a deployment that waits for data gets them. */

import { make, setHidden } from "../dom.js";
import { link, section } from "../parts/screen.js";
import { routeTo } from "../route.js";
import { text } from "../text/forms.js";

/** @param {number} deployment */
export function sendingTo(deployment) {
  const words = text.send;
  const code = make("pre", "sample", words.code(deployment));
  code.tabIndex = 0; // it may have to be scrolled
  const choose = link(words.stream, routeTo(["datasources"], { deployment }));
  const element = section(words.heading(deployment), make("p", "", words.lead), choose, code);
  element.hidden = true;
  return {
    element,
    /** @param {boolean} waits */
    show: (waits) => setHidden(element, !waits),
  };
}
