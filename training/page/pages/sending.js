/** How a deployment that waits for data gets them. */

import { make, setHidden } from "../dom.js";
import { link, section } from "../parts/screen.js";
import { get } from "../requests.js";
import { routeTo } from "../route.js";
import { text } from "../text/forms.js";

/** @typedef {import("../types.js").Datasource} Datasource */

/** @param {number} deployment */
export function sendingTo(deployment) {
  const words = text.send;
  const code = make("pre", "sample", words.code(deployment));
  code.tabIndex = 0; // it may have to be scrolled
  const choose = link(words.stream, routeTo(["datasources"], { deployment }), "changes");
  const element = section(words.heading(deployment), make("p", "", words.lead), choose, code);
  element.hidden = true;
  return {
    element,
    /** Hide it again once the data have been sent. @param {boolean} waits whether the job waits for data */
    show: async (waits) => {
      const answer = waits ? await get("datasources/") : null;
      const isSent = answer?.ok && answer.body.some((/** @type {Datasource} */ each) => each.deployment === String(deployment));
      setHidden(element, !answer?.ok || isSent);
    },
  };
}
