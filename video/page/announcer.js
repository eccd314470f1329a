/** Tells screen readers when cameras change their state. */

import { byId } from "./dom.js";
import { text } from "./text.js";

/** @typedef {import("./live/types.js").Camera} Camera */
/** @typedef {import("./live/types.js").State} State */

const TOGETHER = 1000; // ms in which changes are told as one
const MOST = 3; // cameras told by name

export class Announcer {
  /** @type {Map<string, State>} */
  #known = new Map();
  /** @type {Map<string, State>} */
  #changed = new Map();
  #planned = 0;

  /** @param {Camera[]} cameras */
  note(cameras) {
    const before = this.#known;
    this.#known = new Map(cameras.map(({ name, state }) => [name, state]));
    for (const [name, state] of this.#known) {
      if (before.has(name) && before.get(name) !== state) this.#changed.set(name, state);
    }
    if (this.#changed.size && !this.#planned) this.#planned = window.setTimeout(() => this.#tell(), TOGETHER);
  }

  #tell() {
    const news = [...this.#changed].map(([name, state]) => text.news(name, state));
    byId("news").textContent = news.length > MOST ? text.muchNews(news.length) : news.join("; ");
    this.#changed.clear();
    this.#planned = 0;
  }
}
