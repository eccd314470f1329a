/** A camera's recent labels: what was seen, when, how certain the model was, and the picture. */

import { make, makeForeign, setHidden, setOrder } from "../dom.js";
import { Events } from "../events.js";
import { text } from "../text.js";
import { merge } from "../timeline.js";

/** @typedef {import("../details.js").Panel} Panel */
/** @typedef {import("../tile.js").Tile} Tile */
/** @typedef {import("../timeline.js").LabelEvent} LabelEvent */

const LIMIT = 50;
const WIDTH = 72; // px, of a thumbnail

/** @implements {Panel} */
export class Log {
  /** @type {"side"} */
  place = "side";
  element = make("section", "section");
  #list = make("ol", "log");
  #none = make("li", "log-none", text.noLabels);
  /** @type {LabelEvent[]} */
  #events = [];
  /** By the event's id. @type {Map<string, HTMLElement>} */
  #rows = new Map();
  /** @type {Events | null} */
  #source = null;

  constructor() {
    this.element.append(make("h3", "section-name", text.labels), this.#list);
  }

  /** @param {Tile} tile */
  open({ camera }) {
    this.#list.replaceChildren(this.#none);
    setHidden(this.#none, false);
    this.#source = new Events(camera.name, LIMIT, (events) => this.#add(events));
  }

  update() {}

  close() {
    this.#source?.close();
    this.#source = null;
    this.#events = [];
    this.#rows.clear();
    this.#list.replaceChildren();
  }

  /** @param {LabelEvent[]} events */
  #add(events) {
    this.#events = merge(this.#events, events, LIMIT);
    const rows = new Map(this.#events.map((event) => [event.id, this.#rows.get(event.id) ?? rowOf(event)]));
    for (const [id, row] of this.#rows) if (!rows.has(id)) row.remove();
    this.#rows = rows;
    setHidden(this.#none, rows.size > 0);
    setOrder(this.#list, [...rows.values()]);
  }
}

/** @param {LabelEvent} event */
function rowOf({ time, model, label, score, previous, snapshot }) {
  const when = new Date(time);
  const row = make("li", "log-row");
  const clock = make("time", "log-time", text.time(when));
  const words = make("p", "log-words");
  const from = make("p", "log-from", previous === null ? model : `${model} · ${text.was(previous)}`);
  const certainty = make("span", "score", score === null ? "" : text.score(score));
  clock.dateTime = time;
  words.append(makeForeign("span", "log-label", text.label(label)), " ", certainty);
  from.title = from.textContent;
  row.dataset.none = String(label === null);
  row.append(thumbnailOf(snapshot, text.snapshotOf(label, when)), words, clock, from);
  return row;
}

/** @param {string | null} address null when the picture is not kept @param {string} words */
function thumbnailOf(address, words) {
  if (address === null) return make("span", "thumbnail");
  const link = make("a", "thumbnail");
  const image = make("img");
  link.href = address;
  link.target = "_blank";
  image.alt = words;
  image.loading = "lazy";
  image.decoding = "async";
  image.addEventListener("error", () => link.replaceWith(make("span", "thumbnail"))); // no longer kept
  image.src = `${address}?width=${Math.ceil(WIDTH * window.devicePixelRatio)}`;
  link.append(image);
  return link;
}
