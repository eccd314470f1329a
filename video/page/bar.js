/** The bar at the top: the way back, the count of cameras by state, and whether the server answers. */

import { viewOf } from "./addresses.js";
import { byId, make, mark, setHidden, setText } from "./dom.js";
import { text } from "./text.js";

/** @typedef {import("./live/types.js").Camera} Camera */
/** @typedef {import("./live/types.js").State} State */

const banner = byId("banner");
const summary = byId("summary");
const paths = byId("paths");
const back = byId("back");
const previous = /** @type {HTMLAnchorElement} */ (byId("previous"));
const next = /** @type {HTMLAnchorElement} */ (byId("next"));

back.append(mark("arrow-left"), make("span", "", text.back));
previous.append(mark("arrow-left"));
next.append(mark("arrow-right"));

/** @param {Date | null} since when the server stopped answering; null while it answers */
export function showAway(since) {
  setText(banner, since ? text.away(since) : "");
  setHidden(summary, since !== null);
}

/** @param {Camera[]} cameras */
export function showSummary(cameras) {
  const states = /** @type {State[]} */ (Object.keys(text.counted));
  const items = states.flatMap((state) => {
    const count = cameras.filter((camera) => camera.state === state).length;
    return count ? [{ state, count }] : [];
  });
  const now = items.map(({ state, count }) => `${count} ${state}`).join();
  if (summary.dataset.now === now) return;
  summary.dataset.now = now;
  summary.replaceChildren(
    ...items.map(({ state, count }) => {
      const item = make("li", "count");
      item.dataset.state = state;
      item.append(mark(`mark-${state}`), String(count), make("span", "count-words", ` ${text.counted[state]}`));
      return item;
    }),
  );
}

/**
 * Show the links that lead out of the single view.
 * @param {string | null} camera the enlarged camera; null on the wall
 * @param {string[]} names of all cameras, in order
 */
export function showPaths(camera, names) {
  setHidden(paths, camera === null);
  const at = names.indexOf(camera ?? "");
  const around = names.length > 1 && at >= 0;
  lead(previous, around ? names[(at + names.length - 1) % names.length] : null, text.previous);
  lead(next, around ? names[(at + 1) % names.length] : null, text.next);
}

/**
 * @param {HTMLAnchorElement} link
 * @param {string | null} name the camera it leads to
 * @param {(name: string) => string} words
 */
function lead(link, name, words) {
  setHidden(link, name === null);
  if (name === null || link.title === words(name)) return;
  link.href = viewOf(name);
  link.title = words(name);
  link.setAttribute("aria-label", words(name));
}
