/** What changes one camera: edit, pause or resume, remove, and move it on the wall. */

import { make, mark, setHidden, setMark, setText } from "../dom.js";
import { text } from "../edit/text.js";

/** @typedef {import("../details.js").Panel} Panel */
/** @typedef {import("../tile.js").Tile} Tile */

/**
 * @typedef {object} Acts
 * @property {(camera: string) => void} edit
 * @property {(camera: string, paused: boolean) => void} pause
 * @property {(camera: string) => void} remove
 */

/** @implements {Panel} */
export class Change {
  /** @type {"side"} */
  place = "side";
  element = make("div", "controls");
  #edit = make("button", "path");
  #pause = make("button", "path");
  #pauseMark = mark("mark-paused");
  #pauseWords = make("span");
  #remove = make("button", "path");
  #allowed = false;
  /** @type {Tile | null} */
  #tile = null;

  /** @param {Acts} acts */
  constructor(acts) {
    this.#edit.append(mark("sign-edit"), text.edit);
    this.#pause.append(this.#pauseMark, this.#pauseWords);
    this.#remove.append(mark("sign-remove"), text.remove);
    this.#edit.addEventListener("click", () => acts.edit(this.#camera));
    this.#pause.addEventListener("click", () => acts.pause(this.#camera, !this.#paused));
    this.#remove.addEventListener("click", () => acts.remove(this.#camera));
    this.element.append(this.#edit, this.#pause, this.#remove);
  }

  /** Whether the user may change cameras. @param {boolean} allowed */
  set allowed(allowed) {
    this.#allowed = allowed;
    setHidden(this.element, !allowed);
  }

  /** @param {Tile} tile */
  open(tile) {
    this.#tile = tile;
    this.update();
  }

  update() {
    setHidden(this.element, !this.#allowed);
    setMark(this.#pauseMark, this.#paused ? "sign-stream" : "mark-paused");
    setText(this.#pauseWords, this.#paused ? text.resume : text.pause);
  }

  close() {
    this.#tile = null;
  }

  get #camera() {
    return this.#tile?.camera.name ?? "";
  }

  get #paused() {
    return this.#tile?.camera.state === "paused";
  }
}
