/** One camera's picture: its live stream, or snapshots of it, or the last picture held. */

import { snapshotUrl, streamUrl } from "./api.js";
import { text } from "./text.js";

/** @typedef {import("./api.js").Camera} Camera */
/** @typedef {"live" | "still" | "held"} Mode */

const PATIENCE = 5; // looks, one a second, until a stream whose picture does not move is opened anew
const LONGEST_PATIENCE = 60;
const STILL_DEADLINE = 10_000; // ms

const probe = document.createElement("canvas");
probe.width = 48;
probe.height = 27;
const pen = /** @type {CanvasRenderingContext2D} */ (probe.getContext("2d", { willReadFrequently: true }));

/**
 * The picture's pixels, coarsely, to tell whether it moves.
 * @param {HTMLImageElement} image
 */
function glance(image) {
  if (!image.naturalWidth) return "";
  pen.drawImage(image, 0, 0, probe.width, probe.height);
  return pen.getImageData(0, 0, probe.width, probe.height).data.join();
}

/**
 * Holds exactly one `img`, and behind it a canvas with the picture before: it fills the gap until the next
 * one loads, and costs no connection.
 */
export class Picture {
  /** @type {Mode} */
  #mode = "held";
  #canvas = document.createElement("canvas");
  #image;
  #name;
  #opened = 0; // streams
  #seen = { print: "", seq: -1, still: 0 };
  #tries = 0; // streams opened since the picture last moved
  #failed = false;
  #stillSeq = -1;
  #loading = 0; // since when a snapshot loads; 0: none does

  /** @param {string} name the camera's */
  constructor(name) {
    this.#name = name;
    this.#image = this.#blank();
    this.element = document.createElement("div");
    this.element.className = "screen";
    this.#canvas.className = "held";
    this.#canvas.setAttribute("aria-hidden", "true");
    this.element.append(this.#canvas, this.#image);
  }

  get isLive() {
    return this.#mode === "live";
  }

  /**
   * Show the camera in the way asked for. Called each second, as the watch over the stream needs.
   * @param {Mode} mode
   * @param {Camera} camera
   */
  show(mode, camera) {
    const before = this.#mode;
    this.#mode = mode;
    this.element.dataset.mode = mode;
    if (mode === "still") this.#refresh(camera.seq, before === "live");
    else if (mode === "live" && before === "live") this.#watch(camera.seq);
    else if (mode === "live") this.#open(0);
    else if (before === "live") this.#put(this.#blank());
  }

  /** Let go of the stream for good. */
  close() {
    this.#mode = "held";
    this.#image.removeAttribute("src");
  }

  /** @param {number} tries */
  #open(tries) {
    const image = this.#blank();
    this.#tries = tries;
    this.#failed = false;
    this.#seen = { print: "", seq: -1, still: 0 };
    this.#stillSeq = -1;
    image.addEventListener("error", () => this.#fail(image));
    // A stream that ended can stay in the browser's memory under its address: each gets its own.
    image.src = streamUrl(this.#name) + (this.#opened++ ? `?${this.#opened}` : "");
    this.#put(image);
  }

  /** @param {HTMLImageElement} image */
  #fail(image) {
    image.dataset.failed = "";
    if (image === this.#image) this.#failed = true;
  }

  /**
   * Open the stream anew when it failed, or when the camera goes on but the picture does not.
   *
   * Looking at the pixels is the only way: for a stream that ends after its first picture, browsers fire no
   * event. A scene as still as that costs a new stream now and then, ever more rarely.
   * @param {number} seq
   */
  #watch(seq) {
    const print = glance(this.#image);
    const seen = this.#seen;
    if (print && print !== seen.print) {
      if (seen.print) this.#tries = 0;
      this.#seen = { print, seq, still: 0 };
      return;
    }
    const still = seen.still + Number(this.#failed || seq !== seen.seq);
    this.#seen = { print, seq, still };
    const patience = (this.#failed ? 1 : PATIENCE) * 2 ** this.#tries;
    if (still >= Math.min(patience, LONGEST_PATIENCE)) this.#open(this.#tries + 1);
  }

  /**
   * @param {number} seq
   * @param {boolean} fromLive the stream goes on until the snapshot is there
   */
  async #refresh(seq, fromLive) {
    const now = performance.now();
    if (this.#loading && now - this.#loading < STILL_DEADLINE && !fromLive) return;
    if (seq === this.#stillSeq && !fromLive) return;
    this.#loading = now;
    const image = this.#blank();
    image.src = snapshotUrl(this.#name, seq);
    try {
      await image.decode();
    } catch {
      if (this.#loading === now) this.#loading = 0;
      return; // the next answer tells whether the camera is still there
    }
    if (this.#loading !== now) return;
    this.#loading = 0;
    if (this.#mode === "live") return;
    this.#stillSeq = seq;
    this.#put(image);
  }

  /** @param {HTMLImageElement} image */
  #put(image) {
    const old = this.#image;
    this.#hold(old);
    old.replaceWith(image);
    old.removeAttribute("src"); // else its stream goes on
    this.#image = image;
  }

  /** @param {HTMLImageElement} image */
  #hold(image) {
    if (!image.naturalWidth) return;
    const sharp = (this.element.clientWidth || 320) * window.devicePixelRatio;
    const scale = Math.min(1, sharp / image.naturalWidth);
    this.#canvas.width = Math.round(image.naturalWidth * scale);
    this.#canvas.height = Math.round(image.naturalHeight * scale);
    this.#canvas.getContext("2d")?.drawImage(image, 0, 0, this.#canvas.width, this.#canvas.height);
  }

  #blank() {
    const image = new Image();
    image.className = "picture";
    image.alt = text.picture(this.#name);
    image.draggable = false;
    return image;
  }
}
