/** The last labels of one camera: those there were, and each as it comes. */

import { eventsOf, labelsOf } from "./addresses.js";

/** @typedef {import("./timeline.js").LabelEvent} LabelEvent */

const WAIT = 5000; // ms, when the server refuses

/** Heard only while the page is seen: a browser opens six connections to a server, for all its pages together. */
export class Events {
  /** @type {EventSource | null} */
  #source = null;
  #timer = 0;
  #camera;
  #limit;
  #tell;
  #follow = () => (document.hidden ? this.#stop() : this.#open());

  /**
   * @param {string} camera
   * @param {number} limit how many of those there were
   * @param {(events: LabelEvent[]) => void} tell called with events to add, in any order, some of them again
   */
  constructor(camera, limit, tell) {
    this.#camera = camera;
    this.#limit = limit;
    this.#tell = tell;
    document.addEventListener("visibilitychange", this.#follow);
    this.#follow();
  }

  /** Hear no more. */
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
    // Asked for once the stream is open, on each opening: so nothing is lost in between.
    source.addEventListener("open", () => this.#ask(source));
    source.addEventListener("missed", () => this.#ask(source));
    source.addEventListener("label", ({ data }) => this.#tell([JSON.parse(data)]));
    source.addEventListener("error", () => {
      if (source.readyState !== EventSource.CLOSED) return; // the browser tries again by itself
      this.#timer = window.setTimeout(() => this.#open(), WAIT);
    });
  }

  /** @param {EventSource} source the answer is for */
  async #ask(source) {
    const answer = await fetch(labelsOf(this.#camera, this.#limit)).catch(() => null);
    const events = answer?.ok ? await answer.json().catch(() => null) : null;
    if (Array.isArray(events) && source === this.#source) this.#tell(events);
  }
}
