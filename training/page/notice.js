/** A short message at the top of the page that disappears by itself. */

import { byId, setText } from "./dom.js";

const SHOWN_FOR = 10_000; // ms

let hiding = 0;

/** @param {string} words */
export function showNotice(words) {
  const place = byId("notice");
  setText(place, words);
  window.clearTimeout(hiding);
  hiding = window.setTimeout(() => setText(place, ""), SHOWN_FOR);
}
