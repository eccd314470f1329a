/** What all pages have: a heading, and links next to it. */

import { make } from "../dom.js";

/**
 * A page while it is shown. What `load` answers is passed to `show`, again and again.
 * @typedef {object} Screen
 * @property {string} title
 * @property {HTMLElement} element
 * @property {() => Promise<import("../requests.js").Answer>} [load]
 * @property {(body: any) => void} [show]
 * @property {() => number} [every] ms between two requests
 * @property {() => boolean} [isDirty] whether something was typed that is not saved
 * @property {() => void} [close]
 */

/** What pages can do. @typedef {{refresh: () => void, go: (href: string) => void}} App */

/** @typedef {(route: import("../route.js").Route, app: App) => Screen} Opens */

/**
 * @param {string} title
 * @param {...HTMLElement} beside
 */
export function head(title, ...beside) {
  const element = make("div", "page-head");
  const heading = make("h2", "page-title", title);
  heading.tabIndex = -1; // gets the focus when the page is opened
  heading.dir = "auto";
  const more = make("div", "page-acts");
  more.append(...beside);
  element.append(heading, ...(beside.length ? [more] : []));
  return element;
}

/** @param {string} words @param {string} href @param {string} [kind] CSS classes: `main`, and `changes` if only those who may change see it */
export function link(words, href, kind = "") {
  const element = make("a", `path ${kind}`.trim(), words);
  element.href = href;
  return element;
}

/** @param {string} words @param {() => void} run @param {string} [kind] */
export function button(words, run, kind = "") {
  const element = make("button", `path ${kind}`.trim(), words);
  element.type = "button";
  element.addEventListener("click", run);
  return element;
}

/** A part of a page with a heading. @param {string} title @param {...HTMLElement} content */
export function section(title, ...content) {
  const element = make("section", "card");
  element.append(make("h3", "card-title", title), ...content);
  return element;
}
