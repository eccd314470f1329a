/** What can be done with one camera's picture: show it on the full screen, save it, or open its stream. */

import { snapshotOf, streamOf } from "../addresses.js";
import { make, mark, setHidden } from "../dom.js";
import { showNotice } from "../notice.js";
import { text } from "../text.js";

/** @typedef {import("../details.js").Panel} Panel */
/** @typedef {import("../tile.js").Tile} Tile */

/** @implements {Panel} */
export class Controls {
  /** @type {"side"} */
  place = "side";
  element = make("div", "controls");
  #fullscreen = make("button", "path");
  #snapshot = make("a", "path");
  #stream = make("a", "path");
  #address = make("input", "address");
  /** @type {Tile | null} */
  #tile = null;

  constructor() {
    this.#fullscreen.append(mark("sign-fullscreen"), text.fullscreen);
    this.#fullscreen.hidden = !document.fullscreenEnabled;
    this.#fullscreen.addEventListener("click", () => this.toggleFullscreen());
    this.#snapshot.title = text.snapshotTitle;
    this.#snapshot.append(mark("sign-save"), text.snapshot);
    this.#stream.append(mark("sign-stream"), text.stream);
    this.#stream.target = "_blank";
    this.#address.readOnly = true;
    this.#address.setAttribute("aria-label", text.streamAddress);
    this.#address.addEventListener("focus", () => this.#address.select());
    this.element.append(this.#fullscreen, this.#snapshot, this.#stream, this.#address);
  }

  /** @param {Tile} tile */
  open(tile) {
    this.#tile = tile;
    const { name } = tile.camera;
    const stream = streamOf(name);
    this.#snapshot.href = snapshotOf(name);
    this.#snapshot.download = `${name}.jpg`;
    setHidden(this.#stream, stream === null);
    this.#stream.href = stream ?? "";
    this.#address.value = stream === null ? text.noStream : this.#stream.href;
    this.update();
  }

  update() {
    setHidden(this.#snapshot, !this.#tile?.camera.width); // there is no picture to save
  }

  close() {
    this.#tile = null;
    if (document.fullscreenElement) void document.exitFullscreen();
  }

  /** Fill the screen with the picture, or return to the page. */
  toggleFullscreen() {
    if (document.fullscreenElement) void document.exitFullscreen();
    else this.#tile?.screen.element.requestFullscreen().catch(() => showNotice(text.noFullscreen));
  }

  /** Let the browser save the newest picture. */
  save() {
    if (this.#tile?.camera.width) this.#snapshot.click();
  }
}
