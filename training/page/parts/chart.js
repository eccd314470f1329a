/** A line chart over the epochs. */

import { make, setText } from "../dom.js";
import { columnsOf } from "../metrics.js";
import { metric, tick } from "../text/numbers.js";
import { text } from "../text/result.js";

/** @typedef {import("../metrics.js").Line} Line */
/** @typedef {import("../vendor/uplot.js").default} Plot */

const HEIGHT = 220; // px
const NARROWEST = 160; // px
const MANY = 60; // epochs; of more, no points are drawn: they would cover the line

/** @type {Promise<{default: typeof import("../vendor/uplot.js").default}> | null} */
let loading = null;

export class Chart {
  element = make("figure", "chart");
  #place = make("div", "chart-plot");
  #key = make("span", "chart-lines");
  #where = make("span", "chart-where");
  /** @type {Plot | null} */
  #plot = null;
  /** @type {Line[]} */
  #lines = [];
  #drawn = "";
  #isClosed = false;
  #x;
  #watch = new ResizeObserver(() => this.#resize());
  #themes = new MutationObserver(() => this.#restyle());
  #scheme = window.matchMedia("(prefers-color-scheme: dark)");
  #restyled = () => this.#restyle();

  /** @param {string} name @param {string} [x] what is on the x axis */
  constructor(name, x = text.result.epoch) {
    this.name = name;
    this.#x = x;
    this.#place.setAttribute("role", "img");
    this.element.append(make("h4", "chart-name", name), this.#place, this.#caption());
    this.#watch.observe(this.#place);
    this.#themes.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    this.#scheme.addEventListener("change", this.#restyled);
  }

  /** @param {Line[]} lines */
  draw(lines) {
    this.#lines = lines;
    const words = lines.map(({ name, values }) => text.result.chartWords(name, values)).join("; ");
    this.#place.setAttribute("aria-label", `${this.name}: ${words}`);
    const drawn = JSON.stringify(lines.map(({ name, tone, dashed }) => [name, tone, dashed]));
    if (this.#drawn !== drawn) {
      this.#drawn = drawn;
      this.#key.replaceChildren(...lines.map(keyOf));
      void this.#make();
    } else this.#plot?.setData(columnsOf(lines));
    this.#showValues(null);
  }

  #caption() {
    const caption = make("figcaption", "chart-key");
    caption.append(this.#key, this.#where);
    return caption;
  }

  close() {
    this.#isClosed = true;
    this.#watch.disconnect();
    this.#themes.disconnect();
    this.#scheme.removeEventListener("change", this.#restyled);
    this.#plot?.destroy();
    this.#plot = null;
  }

  async #make() {
    loading ??= import("../vendor/uplot.js");
    const { default: Plot } = await loading;
    if (this.#isClosed) return;
    this.#plot?.destroy();
    const [ink, grid] = ["--ink-soft", "--hairline"].map((name) => this.#colour(name));
    const font = "12px system-ui, sans-serif";
    const axis = { stroke: ink, font, grid: { stroke: grid, width: 1 }, ticks: { stroke: grid, width: 1 } };
    this.#plot = new Plot(
      {
        ...this.#size(),
        legend: { show: false },
        cursor: { drag: { x: false, y: false } },
        hooks: { setCursor: [({ cursor }) => this.#showValues(cursor.idx ?? null)] },
        scales: { x: { time: false, range: (_, low, high) => (low === high ? [low, high + 1] : [low, high]) } },
        axes: [
          { ...axis, size: 28, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000] },
          { ...axis, size: 54, values: (_, values) => values.map((value) => (value === null ? "" : tick(value))) },
        ],
        series: [
          { label: this.#x },
          ...this.#lines.map(({ name, tone, dashed }) => ({
            label: name,
            stroke: this.#colour(`--line-${tone}`),
            width: 2,
            dash: dashed ? [6, 4] : [],
            points: { show: (/** @type {Plot} */ plot) => plot.data[0].length <= MANY, size: 5, fill: this.#colour(`--line-${tone}`) },
          })),
        ],
      },
      columnsOf(this.#lines),
      this.#place,
    );
  }

  /** Show the values at the pointer, or the newest ones. @param {number | null} at */
  #showValues(at) {
    setText(this.#where, at === null ? "" : `${this.#x} ${at + 1}`.trim());
    this.#lines.forEach(({ values }, line) => {
      const place = this.#key.children[line]?.lastElementChild;
      if (place) setText(place, metric(values[at ?? values.length - 1]));
    });
  }

  #size() {
    return { width: Math.max(NARROWEST, this.#place.clientWidth), height: HEIGHT };
  }

  #resize() {
    this.#plot?.setSize(this.#size());
  }

  #restyle() {
    if (this.#plot) void this.#make();
  }

  /** A canvas does not know the page's colours: let the page say what they are. @param {string} name */
  #colour(name) {
    this.element.style.setProperty("outline-color", `var(${name})`);
    return getComputedStyle(this.element).outlineColor;
  }
}

/** @param {Line} line */
function keyOf({ name, tone, dashed }) {
  const element = make("span", "chart-line");
  element.dataset.tone = tone;
  element.dataset.dashed = String(dashed);
  element.append(`${name} `, make("span", "chart-value"));
  return element;
}
