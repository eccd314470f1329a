/** The status page: services and cameras, kept up to date. */

import { loginTo } from "../addresses.js";
import { byId, makeForeign, setHidden, setText } from "../dom.js";
import { Poll } from "./poll.js";
import { cameraRows, modelServerRows, serviceRows } from "./rows.js";
import { Table } from "./table.js";
import { text } from "./text.js";

/** @typedef {import("./types.js").Status} Status */

const main = byId("main");
const banner = byId("banner");
const notes = byId("notes");
const services = new Table(byId("services"), text.serviceColumns);
const modelServers = new Table(byId("model-servers"), text.modelServerColumns);
const cameras = new Table(byId("cameras"), text.cameraColumns);
let count = 0; // of cameras
const filter = /** @type {HTMLInputElement} */ (byId("filter"));

/** @param {Status} status */
function show(status) {
  main.removeAttribute("aria-busy");
  trouble("");
  const lines = status.notes.join("\n");
  if (notes.dataset.lines !== lines) {
    notes.dataset.lines = lines; // so that screen readers read each once
    notes.replaceChildren(...status.notes.map((line) => makeForeign("li", "note", text.note([line]))));
  }
  services.show(serviceRows(status.services));
  modelServers.show(modelServerRows(status.model_servers));
  setHidden(byId("model-servers-section"), status.model_servers.length === 0);
  cameras.show(cameraRows(status.cameras));
  count = status.cameras.length;
  showCount();
}

function showCount() {
  setText(byId("cameras-heading"), count ? text.count(cameras.shown, count) : text.none);
}

/** Say what is wrong; what is shown is old until it is right again. @param {string} words */
function trouble(words) {
  setText(banner, words);
  main.toggleAttribute("data-old", words !== "");
}

new Poll("api/status", {
  shown: show,
  away: (since) => trouble(text.away(since)),
  refused: (why) => trouble(text.refused(why)),
  loggedOut: () => location.assign(loginTo(location.pathname + location.search)),
});
filter.addEventListener("input", () => {
  cameras.filter(filter.value);
  showCount();
});
