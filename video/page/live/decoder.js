/** Turns the pictures that arrive into pictures on canvases. For each camera, the newest wins. */

/** @typedef {import("./types.js").News} News */
/** @typedef {import("./wire.js").Picture} Picture */

const PACE_OVER = 2000; // ms
const LEAST_SPAN = 500; // ms: the first two pictures after a request may arrive close together

/**
 * What the decoder works with; a `Canvas` and an `Image` are whatever `draw` and `decode` take and return.
 * @template Canvas, Image
 * @typedef {object} Tools
 * @property {(jpeg: Picture["jpeg"]) => Promise<Image>} decode rejects anything that is not a picture
 * @property {(canvas: Canvas, image: Image) => void} draw throws if the image is too large for a canvas
 * @property {(image: Image) => void} drop releases an image that will not be drawn
 * @property {(id: number, number: number) => void} ack
 * @property {(camera: string, error: unknown) => void} failed called when a picture could not be decoded or drawn
 * @property {() => number} now ms, by the server's clock
 */

/**
 * While a camera's picture is being decoded, only the newest one after it waits. A picture is acknowledged once
 * it has been drawn or has turned out to be broken. That acknowledges all earlier ones too, so those that were
 * skipped need no message of their own.
 * @template Canvas, Image
 */
export class Decoder {
  /** @type {Tools<Canvas, Image>} */
  #tools;
  /** @type {Map<string, Canvas>} */
  #canvases = new Map();
  /** @type {Map<number, string>} by id */
  #names = new Map();
  /** Cameras whose picture is being decoded, by id. @type {Map<number, {waiting: Picture | null}>} */
  #busy = new Map();
  /** When each camera's last pictures were drawn. @type {Map<string, number[]>} */
  #drawn = new Map();
  /** @type {Map<string, News>} */
  #news = new Map();

  /** @param {Tools<Canvas, Image>} tools */
  constructor(tools) {
    this.#tools = tools;
  }

  /** @param {string} name the camera @param {Canvas} canvas where its pictures are drawn from now on */
  attach(name, canvas) {
    this.#canvases.set(name, canvas);
  }

  /** Forget a camera's canvas and everything about it. @param {string} name */
  detach(name) {
    this.#canvases.delete(name);
    this.#drawn.delete(name);
    this.#news.delete(name);
  }

  /** Start over on a new connection: its ids are different, and nobody waits for what is still being decoded. */
  restart() {
    this.#names.clear();
    this.#busy.clear();
  }

  /** @param {{id: number, name: string}[]} cameras all cameras of this connection */
  know(cameras) {
    this.#names = new Map(cameras.map(({ id, name }) => [id, name]));
  }

  /** @param {Picture} picture */
  take(picture) {
    const busy = this.#busy.get(picture.id);
    if (busy) busy.waiting = picture;
    else void this.#work(picture);
  }

  /** Return what has changed on the canvases since the last call. */
  news() {
    const news = this.#news;
    this.#news = new Map();
    return news;
  }

  /** @param {Picture} picture */
  async #work(picture) {
    const { id } = picture;
    const busy = { waiting: /** @type {Picture | null} */ (null) };
    this.#busy.set(id, busy);
    const current = () => this.#busy.get(id) === busy;
    for (let next = /** @type {Picture | null} */ (picture); next; next = busy.waiting) {
      busy.waiting = null;
      await this.#show(next, current);
      if (!current()) return;
      this.#tools.ack(id, next.number);
    }
    this.#busy.delete(id);
  }

  /** @param {Picture} picture @param {() => boolean} current whether it is still from this connection */
  async #show(picture, current) {
    const name = this.#names.get(picture.id);
    const canvas = this.#canvases.get(name ?? "");
    if (name === undefined || canvas === undefined) return;
    try {
      const image = await this.#tools.decode(picture.jpeg);
      // Meanwhile the camera may have been removed, and even have come back with another canvas.
      if (this.#canvases.get(name) !== canvas || !current()) {
        this.#tools.drop(image);
        return;
      }
      this.#tools.draw(canvas, image);
    } catch (error) {
      this.#tools.failed(name, error);
      return;
    }
    this.#note(name, picture);
  }

  /** @param {string} name @param {Picture} picture which was drawn just now */
  #note(name, { seq, captured, width, height }) {
    const now = this.#tools.now();
    const times = (this.#drawn.get(name) ?? []).filter((time) => time > now - PACE_OVER && time <= now);
    times.push(now);
    this.#drawn.set(name, times);
    const span = now - times[0];
    const fps = span >= LEAST_SPAN ? (1000 * (times.length - 1)) / span : NaN;
    this.#news.set(name, { seq, age_ms: now - captured, width, height, fps });
  }
}
