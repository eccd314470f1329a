/** Announces to screen readers when cameras change state or are removed. */

import { byId } from "./dom.js";
import { text } from "./text.js";

/** @typedef {import("./live/types.js").Camera} Camera */
/** @typedef {import("./live/types.js").State} State */

const TOGETHER = 1000; // ms in which changes are announced as one
const MOST = 3; // cameras announced by name

export class Announcer {
  /** The state of each camera. @type {Map<string, State>} */
  #known = new Map();
  /** The reasons announced since each camera's state changed. @type {Map<string, Set<string>>} */
  #said = new Map();
  /** What to announce about each camera. @type {Map<string, string>} */
  #news = new Map();
  #planned = 0;

  /** @param {Camera[]} cameras all there are now @param {string[]} removed */
  note(cameras, removed) {
    const before = this.#known;
    this.#known = new Map(cameras.map(({ name, state }) => [name, state]));
    for (const { name, state, reason } of cameras) {
      const changed = before.get(name) !== state;
      const said = this.#said.get(name);
      const isNew = reason !== null && !said?.has(reason);
      if (before.has(name) && (changed || isNew)) this.#news.set(name, text.news(name, state, reason));
      const known = changed || !said ? new Set() : said;
      this.#said.set(name, reason === null ? known : known.add(reason));
    }
    for (const name of before.keys()) if (!this.#known.has(name)) this.#said.delete(name);
    for (const name of removed) this.#news.set(name, text.removed(name));
    if (this.#news.size && !this.#planned) this.#planned = window.setTimeout(() => this.#announce(), TOGETHER);
  }

  #announce() {
    const news = [...this.#news.values()];
    announce(news.length > MOST ? text.muchNews(news.length) : news.join("; "));
    this.#news.clear();
    this.#planned = 0;
  }
}

/** Say something to screen readers that others can see. @param {string} words */
export function announce(words) {
  byId("news").textContent = words;
}
