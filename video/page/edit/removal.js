/** The question before a camera is removed. */

import { byId, ignoreDoubleClicks, make, setHidden, setText } from "../dom.js";
import { removeCamera } from "./requests.js";
import { text } from "./text.js";

export class Removal {
  #dialog = /** @type {HTMLDialogElement} */ (byId("removal"));
  #title = make("h2", "heading");
  #problem = make("p", "problem");
  #camera = "";
  #removed;

  /** @param {(camera: string) => void} removed called when it is done */
  constructor(removed) {
    this.#removed = removed;
    const cancel = make("button", "path", text.cancel);
    const remove = make("button", "path danger", text.remove);
    const end = make("div", "editor-end");
    this.#title.id = "removal-title";
    this.#title.dir = "auto";
    this.#dialog.setAttribute("aria-labelledby", this.#title.id);
    this.#problem.setAttribute("role", "alert");
    end.append(cancel, remove);
    this.#dialog.replaceChildren(this.#title, make("p", "", text.removeLead), this.#problem, end);
    ignoreDoubleClicks(this.#dialog);
    cancel.autofocus = true;
    cancel.addEventListener("click", () => this.#dialog.close());
    remove.addEventListener("click", () => this.#remove());
  }

  /** @param {string} camera */
  ask(camera) {
    this.#camera = camera;
    setText(this.#title, text.removeTitle(camera));
    this.#complain("");
    this.#dialog.showModal();
  }

  async #remove() {
    const camera = this.#camera;
    const answer = await removeCamera(camera);
    if (!answer.ok && answer.status !== 404) {
      this.#complain(answer.status === 401 ? text.loggedOut : answer.why);
      return;
    }
    this.#dialog.close();
    this.#removed(camera);
  }

  /** @param {string} why */
  #complain(why) {
    setText(this.#problem, why);
    setHidden(this.#problem, why === "");
  }
}
