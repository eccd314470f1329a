/** The page: asks the server for its cameras, and keeps the wall and the bar up to date. */

import { pollCameras } from "./api.js";
import { showAway, showPaths, showSummary } from "./bar.js";
import { byId } from "./dom.js";
import { showMessage } from "./message.js";
import { text } from "./text.js";
import { takeTurns } from "./turns.js";
import { View } from "./view.js";
import { Wall } from "./wall.js";

/** @typedef {import("./api.js").Camera} Camera */

const mayStream = takeTurns(() => wall.refresh());
const wall = new Wall(byId("wall"), mayStream);
const view = new View(() => showView());
let answered = false;
/** @type {Date | null} */
let awaySince = null;
/** @type {string | null} */
let enlarged = null;

/** @param {Camera[] | null} cameras null: the server does not answer */
function tell(cameras) {
  awaySince = cameras ? null : (awaySince ?? new Date());
  showAway(awaySince);
  if (!cameras) {
    wall.away();
    return;
  }
  answered = true;
  byId("main").removeAttribute("aria-busy");
  wall.update(cameras);
  showSummary(cameras);
  showRest();
}

/** Show what depends on both the address and the cameras there are. */
function showRest() {
  const { camera } = view;
  const { names } = wall;
  showPaths(camera, names);
  const missing = camera !== null && !names.includes(camera);
  const words = missing ? text.unknown(camera) : names.length ? null : text.empty;
  showMessage(answered ? words : null);
}

/** Follow the address: enlarge a camera, or show all. */
function showView() {
  const { camera } = view;
  const before = enlarged;
  enlarged = camera;
  wall.enlarge(camera);
  document.title = camera === null ? text.title : text.titleOf(camera);
  showRest();
  // What had the focus is hidden now: it goes to the way back, and back to where it came from.
  if (before === null && camera !== null && answered) byId("back").focus({ preventScroll: true });
  if (before !== null && camera === null) wall.tile(before)?.link.focus();
}

/**
 * Follow the page's own links without loading it anew; leave the others, and new tabs, to the browser.
 * @param {MouseEvent} event
 */
function onClick(event) {
  const link = event.target instanceof Element ? event.target.closest("a") : null;
  const plain = event.button === 0 && !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey);
  if (!link || !plain || event.defaultPrevented) return;
  const url = new URL(link.href);
  if (url.origin !== location.origin || url.pathname !== location.pathname) return;
  event.preventDefault();
  const camera = url.searchParams.get("camera");
  if (camera === null) view.leave();
  else view.enlarge(camera);
}

/** @param {KeyboardEvent} event */
function onKey(event) {
  if (view.camera === null || event.metaKey || event.ctrlKey || event.altKey || event.shiftKey) return;
  if (event.key === "Escape") view.leave();
  const step = { ArrowLeft: "previous", ArrowRight: "next" }[event.key];
  const link = step ? byId(step) : null;
  if (link && !link.hidden) link.click();
}

document.addEventListener("click", onClick);
document.addEventListener("keydown", onKey);
const askNow = pollCameras(tell);
document.addEventListener("visibilitychange", () => document.hidden || askNow());
window.addEventListener("online", askNow);
showView();
