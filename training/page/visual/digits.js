/** Sends digits of the example to an inference, and shows what each is taken for. */

import { make, setData, setHidden, setText } from "../dom.js";
import { button, section } from "../parts/screen.js";
import { post } from "../requests.js";
import { jsonOf } from "../streams.js";
import { text as common } from "../text/common.js";
import { text } from "../text/result.js";
import { Sent } from "./sent.js";

/** @typedef {import("../types.js").Inference} Inference */
/** @typedef {import("./sent.js").Digit} Digit */

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
  #summary = make("p", "soft");
  /** @type {Sent | null} */
  #sent = null;
  /** Shows what is known of each digit. @type {((said: number | null) => void)[]} */
  #tell = [];
  /** @type {Inference | null} */
  #inference = null;
  #busy = false;
  #send = button(text.visual.send, () => void this.#run(), "main changes");
  element = section(text.visual.sent, make("p", "soft", text.visual.sentLead), this.#send, this.#problem, this.#summary, this.#list);

  constructor() {
    this.#problem.setAttribute("role", "alert");
    this.#summary.setAttribute("role", "status");
    this.#problem.hidden = true;
    this.element.hidden = true;
  }

  /** @param {Inference | null} inference the one that gets digits; null if none can */
  show(inference) {
    this.#inference = inference;
    setHidden(this.element, inference === null);
  }

  /** @param {string} prediction @param {Record<string, string | null>} headers of its message */
  hear(prediction, headers) {
    this.#sent?.hear(headers.digit, prediction);
    this.#draw();
  }

  #draw() {
    const sent = this.#sent;
    sent?.digits.forEach((digit, at) => this.#tell[at](sent.saidOf(digit)));
    setText(this.#summary, sent?.digits.length ? text.visual.summary(sent.digits.length, sent.answered, sent.right) : "");
  }

  async #run() {
    if (this.#busy || !this.#inference) return;
    this.#busy = true;
    this.#send.setAttribute("aria-disabled", "true");
    setText(this.#send, text.visual.sending);
    const sent = new Sent();
    this.#sent = sent;
    this.#list.replaceChildren();
    this.#draw();
    const answer = await post("example/predict", { inference: this.#inference.id, count: 10 });
    this.#busy = false;
    this.#send.removeAttribute("aria-disabled");
    setText(this.#send, text.visual.send);
    setHidden(this.#problem, answer.ok);
    if (!answer.ok) {
      this.#sent = null;
      setText(this.#problem, common.sentence(answer.why));
      return;
    }
    sent.digits = answer.body.digits;
    const shown = sent.digits.map(digitOf);
    this.#tell = shown.map(({ tell }) => tell);
    this.#list.replaceChildren(...shown.map(({ item }) => item));
    this.#draw();
  }
}

/** A digit, with what it is, and below that what it is taken for. @param {Digit} digit */
function digitOf({ label, pixels }) {
  const item = make("li", "digit");
  const canvas = make("canvas", "digit-picture");
  canvas.width = canvas.height = SIDE;
  canvas.setAttribute("role", "img");
  const picture = new ImageData(SIDE, SIDE);
  pixels.forEach((pixel, at) => picture.data.set([255, 255, 255, Math.min(255, (256 / MOST) * pixel)], 4 * at));
  canvas.getContext("2d")?.putImageData(picture, 0, 0);
  const name = make("span", "digit-label", String(label));
  const prediction = make("span", "digit-said");
  for (const each of [name, prediction]) each.setAttribute("aria-hidden", "true"); // the picture says it
  item.append(canvas, name, prediction);
  /** @param {number | null} said */
  const tell = (said) => {
    canvas.setAttribute("aria-label", text.visual.digit(label, said));
    setText(prediction, said === null ? text.visual.notSaid : text.visual.said(label, said));
    if (said !== null) setData(prediction, "state", said === label ? "live" : "no-signal");
  };
  return { item, tell };
}
