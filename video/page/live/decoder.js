/** From pictures as they come to pictures on canvases: the newest wins, camera by camera. */

/** @typedef {import("./types.js").News} News */
/** @typedef {import("./types.js").Counts} Counts */
/** @typedef {import("./wire.js").Picture} Picture */

const PACE_OVER = 2000; // ms
const LEAST_SPAN = 500; // ms: when pictures are asked for anew, the first two may come close together

/**
 * What it works with; a `Canvas` and an `Image` are whatever `draw` and `decode` make of them.
 * @template Canvas, Image
 * @typedef {object} Tools
 * @property {(jpeg: Picture["jpeg"]) => Promise<Image>} decode rejects what is no picture
 * @property {(canvas: Canvas, image: Image) => void} draw throws where the image is too large for a canvas
 * @property {(image: Image) => void} drop lets go of an image that is not drawn after all
 * @property {(id: number, number: number) => void} ack
 * @property {() => number} now ms, by the server's clock
 */

/**
 * While a camera's picture decodes, only its newest waits. A picture is acknowledged once it is drawn, or is
 * found not to be one; that tells of all before it too, so those left out need no word of their own.
 * @template Canvas, Image
 */
export class Decoder {
  /** @type {Tools<Canvas, Image>} */
  #tools;
  /** @type {Map<string, Canvas>} */
  #canvases = new Map();
  /** @type {Map<number, string>} by id */
  #names = new Map();
  /** Cameras whose picture decodes now. @type {Map<number, {waiting: Picture | null}>} */
  #busy = new Map();
  /** When pictures of each camera were drawn lately. @type {Map<string, number[]>} */
  #drawn = new Map();
  /** @type {Map<string, News>} */
  #news = new Map();
  /** @type {Counts} */
  counts = { drawn: 0, skipped: 0, undecodable: 0 };

  /** @param {Tools<Canvas, Image>} tools */
  constructor(tools) {
    this.#tools = tools;
  }

  /** @param {string} name the camera's @param {Canvas} canvas where its pictures go from now on */
  attach(name, canvas) {
    this.#canvases.set(name, canvas);
  }

  /** @param {string} name */
  detach(name) {
    this.#canvases.delete(name);
    this.#drawn.delete(name);
    this.#news.delete(name);
  }

  /** Begin anew, as on a new connection: ids mean nothing any more, nobody waits for what still decodes. */
  restart() {
    this.#names.clear();
    this.#busy.clear();
  }

  /** @param {{id: number, name: string}[]} cameras */
  know(cameras) {
    this.#names = new Map(cameras.map(({ id, name }) => [id, name]));
  }

  /** @param {Picture} picture */
  take(picture) {
    const busy = this.#busy.get(picture.id);
    if (!busy) {
      void this.#work(picture);
      return;
    }
    if (busy.waiting) this.counts.skipped++;
    busy.waiting = picture;
  }

  /** What is new on the canvases since the last call. */
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

  /** @param {Picture} picture @param {() => boolean} current whether it is still of this connection */
  async #show(picture, current) {
    const name = this.#names.get(picture.id);
    if (name === undefined || !this.#canvases.has(name)) {
      this.counts.skipped++;
      return;
    }
    try {
      const image = await this.#tools.decode(picture.jpeg);
      const canvas = this.#canvases.get(name);
      if (canvas === undefined || !current()) {
        this.counts.skipped++;
        this.#tools.drop(image);
        return;
      }
      this.#tools.draw(canvas, image);
    } catch {
      this.counts.undecodable++;
      return;
    }
    this.counts.drawn++;
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
