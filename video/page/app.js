/** The page: follows the cameras, and keeps the wall, the single view and the bar up to date. */

import { loginTo } from "./addresses.js";
import { Announcer, announce } from "./announcer.js";
import { showAway, showPaths, showSummary } from "./bar.js";
import { Details } from "./details.js";
import { byId } from "./dom.js";
import { Changes } from "./edit/changes.js";
import { actOf } from "./keys.js";
import { Feed } from "./live/feed.js";
import { showMessage } from "./message.js";
import { showNotice } from "./notice.js";
import { Place } from "./panels/place.js";
import { loadSession } from "./session.js";
import { text } from "./text.js";
import { setUpTools, showUser, toggleKeys } from "./tools.js";
import { View } from "./view.js";
import { Wall } from "./wall.js";

/** @typedef {import("./live/types.js").Camera} Camera */

const DEMO = "bikes"; // the only camera that `python -m compose` shows by itself

const feed = new Feed("ws", {
  cameras,
  pictures: (news) => wall.drawn(news),
  away,
  loggedOut,
  failed,
  refused,
});
const wall = new Wall(byId("wall"), feed);
const changes = new Changes({ known, added, removed: removedHere });
const details = new Details([changes.panel, new Place(wall)]);
const announcer = new Announcer();
const view = new View(() => showView());
let answered = false;
/** What keeps the server from Kafka. @type {string | null} */
let broker = null;
/** Why no connection is possible. @type {string | null} */
let obstacle = null;
/** @type {string | null} */
let enlarged = null;
/** A camera that was added, until its tile is there. @type {string | null} */
let expected = null;
/** Cameras that were removed on this page, until the server has noticed. @type {Set<string>} */
const withdrawn = new Set();
/** Whether the server has said what this user may do. */
let permitted = false;
/** Whether it was asked: until then, the page does not advise on cameras. */
let asked = false;
let hinted = false;

/** @param {Camera[]} cameras @param {string | null} trouble */
function cameras(cameras, trouble) {
  if (!answered) byId("main").removeAttribute("aria-busy");
  answered = true;
  broker = trouble;
  obstacle = null;
  showAway(null);
  const removed = wall.update(cameras);
  showSummary(cameras);
  announcer.note(cameras, removed.filter((name) => name !== view.camera && !withdrawn.delete(name)));
  if (view.camera !== null && removed.includes(view.camera)) leaveRemoved(view.camera);
  else showRest();
  if (!permitted) void loadPermissions();
  showAdded();
}

async function loadPermissions() {
  permitted = true; // asked for once while the server answers
  const session = await loadSession();
  permitted = session !== null;
  asked = true;
  showUser(session);
  changes.allow(session);
  showRest();
}

/** What the page knows about all cameras, for the form. */
function known() {
  const cameras = wall.names.flatMap((name) => wall.tile(name)?.camera ?? []);
  const groups = cameras.flatMap(({ group }) => group || []);
  const models = cameras.flatMap(({ predictions }) => predictions.map(({ model }) => model));
  return { groups: [...new Set(groups)].sort(), models: [...new Set(models)].sort() };
}

/** Show a camera that was added on the wall, as soon as the server reports it. @param {string} camera */
function added(camera) {
  expected = camera;
  view.leave();
  showAdded();
}

function showAdded() {
  if (expected !== null && view.camera === null && wall.point(expected)) expected = null;
}

/** Say that a camera was removed on this page. @param {string} camera @param {string} words */
function removedHere(camera, words) {
  withdrawn.add(camera);
  if (view.camera === camera) view.leave();
  showNotice(words);
}

/** Return to the wall from a camera that no longer exists. @param {string} camera */
function leaveRemoved(camera) {
  showNotice(text.removed(camera));
  view.leave();
}

/** @param {Date} since */
function away(since) {
  showAway(since);
  wall.away(since);
}

/** @param {string} why */
function failed(why) {
  console.error(why);
  showNotice(text.failed(why));
}

/** @param {string} why */
function refused(why) {
  byId("main").removeAttribute("aria-busy");
  obstacle = why;
  showRest();
}

function loggedOut() {
  location.assign(loginTo(location.pathname + location.search));
}

/** Show everything that depends on both the address and the existing cameras. */
function showRest() {
  const { camera } = view;
  const { names } = wall;
  showPaths(camera, names);
  details.show(wall.tile(wall.alone) ?? null);
  details.update();
  const missing = camera !== null && !names.includes(camera);
  const words = missing ? text.unknown(camera) : names.length ? null : broker ? text.broker(broker) : firstWords();
  const act = words === text.first ? { words: changes.words, run: () => changes.add() } : null;
  if (!feed.supported) showMessage(text.unsupported);
  else if (obstacle && !names.length) showMessage(text.refused(obstacle));
  else showMessage(answered ? words : null, act);
  if (changes.allowed && !hinted && names.join() === DEMO) {
    hinted = true;
    showNotice(text.demo);
  }
}

/** What to do while there are no cameras; null if the page does not know yet. */
function firstWords() {
  if (!asked) return null;
  if (changes.allowed) return text.first;
  return changes.whyNot === null ? text.empty : text.firstElsewhere(changes.whyNot);
}

/** Follow the address: enlarge a camera, or show all cameras. */
function showView() {
  const { camera } = view;
  const before = enlarged;
  enlarged = camera;
  wall.enlarge(camera);
  document.title = camera === null ? text.title : text.titleOf(camera);
  showRest();
  // What had the focus is hidden now. Move it to the way back, and later back to the tile, if it is still there.
  if (before === null && camera !== null && answered) byId("back").focus({ preventScroll: true });
  if (before !== null && camera === null) (wall.tile(before) ?? wall.tile(wall.names[0] ?? null))?.link.focus();
  showAdded();
}

/**
 * Follow the page's own links without reloading it. Leave other links, and new tabs, to the browser.
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
  if (event.target instanceof HTMLInputElement && event.key !== "Escape") return;
  const dialog = document.querySelector("dialog[open]");
  if (dialog && (dialog.id !== "keys" || event.key !== "?")) return;
  if (event.shiftKey ? shift(event.key) : wall.step(event.key)) {
    event.preventDefault(); // otherwise the page scrolls, too
    return;
  }
  const act = actOf(event, wall.alone !== null);
  if (act === "leave") view.leave();
  else if (act === "help") toggleKeys();
  else if (act === "fullscreen") details.controls.toggleFullscreen();
  else if (act === "snapshot") details.controls.save();
  else if (act) follow(byId(act));
}

/** Move the camera that has the focus. @param {string} key @returns {boolean} whether the key moved it */
function shift(key) {
  const camera = wall.shift(key);
  if (camera === null) return false;
  const { at, of } = wall.places.placeOf(camera);
  announce(text.moved(camera, at, of));
  return true;
}

/** @param {HTMLElement} link to the previous or next camera */
function follow(link) {
  if (!link.hidden) link.click();
}

document.addEventListener("click", onClick);
document.addEventListener("keydown", onKey);
setUpTools();
showView();
