/** The log of a result's job: asked for while it is unfolded. */

import { make, setText } from "../dom.js";
import { get } from "../requests.js";
import { text } from "../text/result.js";

export class Log {
  element = make("details", "card log-card");
  #text = make("pre", "log-text", text.result.noLog);
  #isComplete = false;
  #result;

  /** @param {number} result its id */
  constructor(result) {
    this.#result = result;
    this.#text.tabIndex = 0;
    this.element.append(make("summary", "card-title", text.result.log), this.#text);
    this.element.addEventListener("toggle", () => void this.#load());
  }

  /** Ask again, unless nothing can have changed. @param {boolean} isActive whether the job may still write */
  ask(isActive) {
    if (!this.#isComplete) void this.#load();
    this.#isComplete = !isActive && this.element.open;
  }

  async #load() {
    if (!this.element.open) return;
    const answer = await get(`results/log/${this.#result}`);
    if (!answer.ok) return;
    const isAtEnd = this.#text.scrollTop + this.#text.clientHeight >= this.#text.scrollHeight - 8;
    setText(this.#text, answer.body.log || text.result.noLog);
    if (isAtEnd) this.#text.scrollTop = this.#text.scrollHeight;
  }
}
