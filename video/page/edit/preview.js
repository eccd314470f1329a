/** What a camera shows before it is saved: a producer captures it for a while, under a name of its own. */

import { streamOf } from "../addresses.js";
import { make, setHidden, setText } from "../dom.js";
import { text as words } from "../text.js";
import { endPreview, readCamera, startPreview } from "./requests.js";
import { text } from "./text.js";

/** @typedef {import("./requests.js").Answer} Answer */

const EVERY = 500; // ms between two questions for the state
const AGAIN = 2000; // ms after which a picture that did not load is requested again

export class Preview {
  element = make("div", "preview");
  #picture = make("img", "preview-picture");
  #state = make("p", "preview-state");
  /** The running preview. @type {string | null} */
  #name = null;
  #turn = 0; // counts the previews, so that late answers about an earlier one are ignored
  #timer = 0;
  #next = 0;
  #revealed = -1; // the last preview whose picture was scrolled into view

  constructor() {
    this.#picture.alt = text.previewPicture;
    this.#picture.hidden = true;
    this.#picture.addEventListener("error", () => this.#hide());
    this.#picture.addEventListener("load", () => this.#loaded());
    this.#state.setAttribute("role", "status");
    this.element.append(this.#picture, this.#state);
    window.addEventListener("pagehide", () => this.close());
  }

  /**
   * Start a preview in place of the one before.
   * @param {object} record
   * @returns {Promise<Answer | null>} null if it has been closed or replaced meanwhile
   */
  async start(record) {
    this.close();
    const turn = this.#turn;
    this.#say(text.previewStarts);
    this.#reveal();
    const answer = await startPreview(record);
    if (turn !== this.#turn) {
      if (answer.ok) void endPreview(answer.body.name);
      return null;
    }
    if (answer.ok) {
      this.#name = answer.body.name;
      void this.#follow(this.#name, turn);
    } else {
      this.#say("");
    }
    return answer;
  }

  /** End the preview, if there is one. */
  close() {
    this.#turn += 1;
    window.clearTimeout(this.#timer);
    this.#hide();
    this.#say("");
    if (this.#name !== null) void endPreview(this.#name);
    this.#name = null;
  }

  /** @param {string} name @param {number} turn */
  async #follow(name, turn) {
    const answer = await readCamera(name);
    if (turn !== this.#turn) return;
    if (answer.ok) {
      const { state, reason, width, height, fps } = answer.body;
      const sends = width > 0 && !["no-signal", "broker-away"].includes(state);
      if (sends) this.#show(name);
      this.#say(sends ? text.previewOf(width, height, fps) : text.previewWaits(words.states[state], reason));
    } else if (answer.status === 404) {
      this.#name = null;
      this.close();
      this.#say(text.previewEnded);
      return;
    } else {
      this.#say(answer.why);
    }
    this.#timer = window.setTimeout(() => this.#follow(name, turn), EVERY);
  }

  /** @param {string} name */
  #show(name) {
    const stream = streamOf(name);
    if (stream === null || this.#picture.hasAttribute("src") || performance.now() < this.#next) return;
    this.#next = performance.now() + AGAIN;
    this.#picture.src = stream;
    setHidden(this.#picture, false);
  }

  #loaded() {
    const isFirst = this.#revealed !== this.#turn && this.#picture.hasAttribute("src");
    setHidden(this.#picture, !this.#picture.src);
    if (isFirst) this.#reveal();
    if (isFirst) this.#revealed = this.#turn;
  }

  /** Show it all in the dialog, once: then the user scrolls. */
  #reveal() {
    this.element.scrollIntoView({ block: "nearest" });
  }

  #hide() {
    setHidden(this.#picture, true);
    this.#picture.removeAttribute("src"); // this ends the stream
  }

  /** @param {string} state */
  #say(state) {
    setText(this.#state, state);
  }
}
