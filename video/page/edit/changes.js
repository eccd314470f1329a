/** Connects everything that changes cameras: the button in the bar, the dialogs, the single view's panel. */

import { byId, make, mark, setHidden } from "../dom.js";
import { showNotice } from "../notice.js";
import { Change } from "../panels/change.js";
import { Editor } from "./editor.js";
import { Removal } from "./removal.js";
import { changeCamera, readCamera } from "./requests.js";
import { text } from "./text.js";

/** @typedef {import("../session.js").Session} Session */
/** @typedef {import("./form.js").Known} Known */

/**
 * @typedef {object} Page
 * @property {() => Known} known
 * @property {(camera: string) => void} added shows a camera that was added
 * @property {(camera: string, words: string) => void} removed says that a camera was removed
 */

export class Changes {
  panel = new Change({
    edit: (camera) => this.#edit(camera),
    pause: (camera, paused) => this.#pause(camera, paused),
    remove: (camera) => this.#removal.ask(camera),
  });
  /** How to get the permission; null if the user has it, or nobody can have it. @type {string | null} */
  whyNot = null;
  words = text.add;
  #button = byId("add");
  #page;
  #editor;
  #removal = new Removal((camera) => this.#page.removed(camera, text.removed(camera)));
  #allowed = false;

  /** @param {Page} page */
  constructor(page) {
    this.#page = page;
    this.#editor = new Editor(page.added);
    this.#button.append(mark("sign-add"), make("span", "add-words", text.add));
    this.#button.addEventListener("click", () => this.add());
    this.allow(null);
  }

  /** Whether the user may change cameras. */
  get allowed() {
    return this.#allowed;
  }

  /** @param {Session | null} session */
  allow(session) {
    this.#allowed = session?.may_change === true;
    this.whyNot = !this.#allowed && session?.cameras_as_data ? (session.why_not ?? null) : null;
    this.panel.allowed = this.#allowed;
    setHidden(this.#button, !this.#allowed && this.whyNot === null);
  }

  /** Open the form for a new camera, or explain how to get the permission. */
  add() {
    if (this.#allowed) this.#editor.open(null, {}, this.#page.known());
    else if (this.whyNot !== null) showNotice(text.notAllowed(this.whyNot));
  }

  /** @param {string} camera */
  async #edit(camera) {
    const config = await this.#configOf(camera);
    if (config) this.#editor.open(camera, config, this.#page.known());
  }

  /** @param {string} camera @param {boolean} paused */
  async #pause(camera, paused) {
    const answer = await changeCamera(camera, { paused });
    if (!answer.ok) showNotice(text.notDone(camera, whyNot(answer)));
  }

  /** @param {string} camera */
  async #configOf(camera) {
    const answer = await readCamera(camera);
    if (answer.ok && answer.body.config) return answer.body.config;
    showNotice(text.notDone(camera, answer.ok ? text.noRecord : answer.status === 401 ? text.loggedOut : answer.why));
    return null;
  }
}

/** @param {{status: number, why: string}} answer */
function whyNot({ status, why }) {
  if (status === 401) return text.loggedOut;
  return status === 404 || status === 409 ? text.noRecord : why;
}
