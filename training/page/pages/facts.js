/** What is known about a training, besides its metrics. */

import { make } from "../dom.js";
import { section } from "../parts/screen.js";
import { routeTo } from "../route.js";
import { text as common } from "../text/common.js";
import { duration } from "../text/numbers.js";
import { text } from "../text/result.js";

/** @typedef {import("../types.js").Result} Result */

export class Facts {
  #list = make("dl", "facts");
  element = section(text.result.facts, this.#list);

  /** @param {Result} result */
  show({ model, deployment, training_time, seed, status_changed }) {
    const words = text.result;
    /** @type {[string, string, string?][]} */
    const rows = [
      [words.model, model.name, routeTo(["models", model.id])],
      [words.deployment, String(deployment.id), routeTo(["results"], { deployment: deployment.id })],
      [words.started, common.time(deployment.time)],
      [words.changed, common.time(status_changed)],
      [words.time, duration(training_time)],
      [words.seed, seed === null ? common.none : String(seed)],
    ];
    const key = JSON.stringify(rows);
    if (this.#list.dataset.key === key) return;
    this.#list.dataset.key = key;
    this.#list.replaceChildren(
      ...rows.flatMap(([name, value, href]) => {
        const place = make("dd", "", href ? "" : value);
        if (href) {
          const link = make("a", "", value);
          link.href = href;
          link.dir = "auto";
          place.append(link);
        }
        return [make("dt", "", name), place];
      }),
    );
  }
}
