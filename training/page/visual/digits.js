/** Sends digits of the example to an inference, and shows what was sent. */

import { make, setHidden, setText } from "../dom.js";
import { button, section } from "../parts/screen.js";
import { post } from "../requests.js";
import { jsonOf } from "../streams.js";
import { text as common } from "../text/common.js";
import { text } from "../text/result.js";

/** @typedef {import("../types.js").Inference} Inference */
/** @typedef {{label: number, pixels: number[]}} Digit */

const SIDE = 8; // px
const MOST = 16; // of a pixel

/** Whether an inference reads pictures like those of the example. @param {Inference} inference */
export function takesDigits({ status, input_format, input_config }) {
  const { data_type, data_reshape } = jsonOf(input_config);
  return status === "deployed" && input_format === "RAW" && data_type === "uint8" && data_reshape === "8 8";
}

export class Digits {
  #list = make("ul", "digits");
  #problem = make("p", "problem");
  /** @type {Inference | null} */
  #inference = null;
  #busy = false;
  #send = button(text.visual.send, () => void this.#run(), "main changes");
  element = section(text.visual.sent, this.#send, this.#problem, this.#list);

  constructor() {
    this.#problem.setAttribute("role", "alert");
    this.#problem.hidden = true;
    this.element.hidden = true;
  }

  /** @param {Inference | null} inference the one that gets digits; null if none can */
  show(inference) {
    this.#inference = inference;
    setHidden(this.element, inference === null);
  }

  async #run() {
    if (this.#busy || !this.#inference) return;
    this.#busy = true;
    this.#send.setAttribute("aria-disabled", "true");
    setText(this.#send, text.visual.sending);
    const answer = await post("example/predict", { inference: this.#inference.id, count: 10 });
    this.#busy = false;
    this.#send.removeAttribute("aria-disabled");
    setText(this.#send, text.visual.send);
    setHidden(this.#problem, answer.ok);
    if (answer.ok) this.#list.replaceChildren(...answer.body.digits.map(digitOf));
    else setText(this.#problem, common.sentence(answer.why));
  }
}

/** @param {Digit} digit */
function digitOf({ label, pixels }) {
  const item = make("li", "digit");
  const canvas = make("canvas", "digit-picture");
  canvas.width = canvas.height = SIDE;
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", text.visual.digit(label));
  const picture = new ImageData(SIDE, SIDE);
  pixels.forEach((pixel, at) => picture.data.set([255, 255, 255, Math.min(255, (256 / MOST) * pixel)], 4 * at));
  canvas.getContext("2d")?.putImageData(picture, 0, 0);
  const name = make("span", "digit-label", String(label));
  name.setAttribute("aria-hidden", "true"); // the picture says it
  item.append(canvas, name);
  return item;
}
