/** A camera's place on the wall, and the buttons that move it: what dragging does, without dragging. */

import { announce } from "../announcer.js";
import { make, mark, setHidden, setText } from "../dom.js";
import { text } from "../text.js";

/** @typedef {import("../details.js").Panel} Panel */
/** @typedef {import("../tile.js").Tile} Tile */
/** @typedef {import("../wall.js").Wall} Wall */

/** @implements {Panel} */
export class Place {
  /** @type {"side"} */
  place = "side";
  element = make("div", "controls place");
  #words = make("p", "place-words");
  #earlier = make("button", "path step");
  #later = make("button", "path step");
  #wall;
  #camera = "";

  /** @param {Wall} wall */
  constructor(wall) {
    this.#wall = wall;
    this.#setUp(this.#earlier, "arrow-left", text.earlier, -1);
    this.#setUp(this.#later, "arrow-right", text.later, 1);
    this.element.append(this.#words, this.#earlier, this.#later);
  }

  /** @param {Tile} tile */
  open({ camera }) {
    this.#camera = camera.name;
    this.update();
  }

  update() {
    const { at, of } = this.#wall.places.placeOf(this.#camera);
    setHidden(this.element, of < 2);
    setText(this.#words, text.place(at, of));
    this.#earlier.setAttribute("aria-disabled", String(at <= 1));
    this.#later.setAttribute("aria-disabled", String(at >= of));
  }

  close() {}

  /** @param {HTMLButtonElement} button @param {string} sign @param {string} words @param {-1 | 1} by */
  #setUp(button, sign, words, by) {
    button.type = "button";
    button.title = words;
    button.setAttribute("aria-label", words);
    button.append(mark(sign));
    button.addEventListener("click", () => {
      this.#wall.moveBy(this.#camera, by);
      this.update();
      announce(this.#words.textContent ?? "");
    });
  }
}
