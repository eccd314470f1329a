/** The label events of one camera: the recent ones, then each as it happens. */

import { eventsOf, labelsOf } from "./addresses.js";

/** @typedef {import("./timeline.js").LabelEvent} LabelEvent */

const WAIT = 5000; // ms before the next attempt when the server refuses

/** Connected only while the page is visible: a browser opens at most six connections to a server for all its tabs. */
export class Events {
  /** @type {EventSource | null} */
  #source = null;
  #timer = 0;
  #camera;
  #limit;
  #add;
  #follow = () => (document.hidden ? this.#stop() : this.#open());

  /**
   * @param {string} camera
   * @param {number} limit the most recent events to request
   * @param {(events: LabelEvent[]) => void} add called with events in any order, some of them repeatedly
   */
  constructor(camera, limit, add) {
    this.#camera = camera;
    this.#limit = limit;
    this.#add = add;
    document.addEventListener("visibilitychange", this.#follow);
    this.#follow();
  }

  /** Disconnect for good. */
  close() {
    document.removeEventListener("visibilitychange", this.#follow);
    this.#stop();
  }

  #stop() {
    this.#source?.close();
    this.#source = null;
    window.clearTimeout(this.#timer);
  }

  #open() {
    this.#stop();
    const source = new EventSource(eventsOf(this.#camera));
    this.#source = source;
    // Request the recent events each time the stream has opened, so that nothing is lost in between.
    source.addEventListener("open", () => this.#request(source));
    source.addEventListener("missed", () => this.#request(source));
    source.addEventListener("label", ({ data }) => this.#add([JSON.parse(data)]));
    source.addEventListener("error", () => {
      if (source.readyState !== EventSource.CLOSED) return; // the browser retries by itself
      this.#timer = window.setTimeout(() => this.#open(), WAIT);
    });
  }

  /** @param {EventSource} source must still be the current one when the answer arrives */
  async #request(source) {
    const answer = await fetch(labelsOf(this.#camera, this.#limit)).catch(() => null);
    const events = answer?.ok ? await answer.json().catch(() => null) : null;
    if (Array.isArray(events) && source === this.#source) this.#add(events);
  }
}
