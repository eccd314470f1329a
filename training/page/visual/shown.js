/** The predictions on the page: classes or numbers. */

import { make, setHidden, setText } from "../dom.js";
import { Chart } from "../parts/chart.js";
import { section } from "../parts/screen.js";
import { metric, percent } from "../text/numbers.js";
import { text } from "../text/result.js";
import { BEFORE, Classes } from "./classes.js";
import { colourOf } from "./config.js";
import { Numbers } from "./numbers.js";

/** @typedef {import("./config.js").Config} Config */

const LONGEST = 40; // predictions

/** Calls a function once before the browser paints, however often it is asked to. @param {() => void} draw */
function once(draw) {
  let due = 0;
  return {
    ask: () => {
      due ||= requestAnimationFrame(() => {
        due = 0;
        draw();
      });
    },
    cancel: () => cancelAnimationFrame(due),
  };
}

/** Shows one kind of predictions. @typedef {{element: HTMLElement, add: (message: string) => void, close: () => void}} Shown */

/** @implements {Shown} */
export class ShownClasses {
  element = make("div", "predictions");
  #current = make("p", "status-now");
  #last = make("ol", "status-last");
  #shares = make("ul", "shares");
  #count = make("p", "soft");
  #row = make("p", "sequence");
  /** @type {string[]} */
  #newest = [];
  #classes;
  #labels;
  #drawing = once(() => this.#draw());

  /** @param {Config} config */
  constructor(config) {
    this.#classes = new Classes(config);
    this.#labels = new Map(config.labels.map((each) => [each.id, each]));
    this.element.append(
      section(config.averageUpdated ? text.visual.most : text.visual.now, this.#current),
      section(
        text.visual.before,
        make("p", "soft", text.visual.beforeLead(BEFORE)),
        this.#last,
        make("p", "soft", text.visual.rowLead(LONGEST)),
        this.#row,
      ),
      section(text.visual.shares, make("p", "soft", text.visual.sharesLead), this.#shares, this.#count),
    );
  }

  /** @param {string} message the number of a class */
  add(message) {
    const id = Number(message);
    if (!Number.isInteger(id)) return;
    this.#classes.add(id);
    this.#newest = [this.#name(id), ...this.#newest].slice(0, LONGEST);
    this.#drawing.ask();
  }

  #draw() {
    const { current, last, shares, total } = this.#classes;
    if (current !== null) {
      setText(this.#current, this.#name(current));
      paint(this.#current, this.#colour(current));
    }
    this.#last.replaceChildren(
      ...last.map((id) => {
        const item = make("li", "status-before", this.#name(id));
        paint(item, this.#colour(id));
        return item;
      }),
    );
    setText(this.#row, this.#newest.join(" "));
    setText(this.#count, text.visual.count(total));
    this.#shares.replaceChildren(...shares.map(([id, share]) => this.#share(id, share)));
  }

  close() {
    this.#drawing.cancel();
  }

  /** @param {number} id @param {number} share */
  #share(id, share) {
    const item = make("li", "share");
    const bar = make("span", "share-bar");
    bar.style.setProperty("--share", `${100 * share}%`);
    paint(bar, this.#colour(id));
    item.append(make("span", "share-name", this.#name(id)), bar, make("span", "share-value", percent(share)));
    return item;
  }

  /** @param {number} id */
  #name(id) {
    return this.#labels.get(id)?.label ?? text.visual.unknown(id);
  }

  /** Without labels, each class has a colour; among labels, one that is not known is grey. @param {number} id */
  #colour(id) {
    return this.#labels.size ? (this.#labels.get(id)?.color ?? "#777777") : colourOf(id);
  }
}

/** @implements {Shown} */
export class ShownNumbers {
  #numbers = new Numbers();
  #chart = new Chart(text.visual.values, "");
  #newest = make("dl", "facts");
  #count = make("p", "soft");
  #labels;
  #drawing = once(() => this.#draw());
  element = make("div", "predictions");

  /** @param {Config} config */
  constructor(config) {
    this.#labels = config.labels;
    const newest = section(text.visual.newest, this.#newest, this.#count);
    this.element.append(section(text.visual.values, make("p", "soft", text.visual.valuesLead), this.#chart.element), newest);
    setHidden(/** @type {HTMLElement} */ (this.#chart.element.firstElementChild), true); // the section says it
  }

  /** @param {string} message */
  add(message) {
    if (this.#numbers.add(message)) this.#drawing.ask();
  }

  #draw() {
    const { lines, total } = this.#numbers;
    const names = lines.map((_, at) => this.#labels[at]?.label ?? text.visual.value(at));
    this.#chart.draw(
      lines.map((values, at) => ({ name: names[at], values, tone: at % 2 ? "second" : "first", dashed: at % 4 > 1 })),
    );
    this.#newest.replaceChildren(
      ...lines.flatMap((values, at) => [make("dt", "", names[at]), make("dd", "", metric(values[values.length - 1]))]),
    );
    setText(this.#count, text.visual.count(total));
  }

  close() {
    this.#drawing.cancel();
    this.#chart.close();
  }
}

/** Give an element a colour, and its text one that can be read on it. @param {HTMLElement} element @param {string} colour #rrggbb */
function paint(element, colour) {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const part = parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  const light = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  element.style.setProperty("--paint", colour);
  element.style.setProperty("--on-paint", light > 0.179 ? "#000000" : "#ffffff");
}
