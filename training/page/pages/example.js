/** The button that trains the example. */

import { make, setHidden, setText } from "../dom.js";
import { button } from "../parts/screen.js";
import { post } from "../requests.js";
import { routeTo } from "../route.js";
import { text as common } from "../text/common.js";
import { text } from "../text/lists.js";

/** @param {import("../parts/screen.js").App} app */
export function exampleButton(app) {
  const element = make("div", "example");
  const problem = make("p", "problem");
  problem.setAttribute("role", "alert");
  problem.hidden = true;
  let busy = false;
  const start = button(
    text.start.example,
    async () => {
      if (busy) return;
      busy = true;
      start.setAttribute("aria-disabled", "true");
      setText(start, text.start.working);
      const answer = await post("example/");
      busy = false;
      start.removeAttribute("aria-disabled");
      setText(start, text.start.example);
      setHidden(problem, answer.ok);
      if (answer.ok) app.go(routeTo(["results", answer.body.results[0].id]));
      else setText(problem, common.sentence(answer.why));
    },
    "main changes",
  );
  element.append(start, problem);
  return element;
}
