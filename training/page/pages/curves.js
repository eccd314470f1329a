/** The curves of a result: a chart per metric. */

import { make, setHidden } from "../dom.js";
import { metricsOf } from "../metrics.js";
import { Chart } from "../parts/chart.js";
import { section } from "../parts/screen.js";
import { text } from "../text/result.js";

/** @typedef {import("../types.js").Result} Result */
/** @typedef {import("../metrics.js").Line} Line */

export class Curves {
  /** @type {Map<string, Chart>} */
  #charts = new Map();
  #grid = make("div", "charts");
  #none = make("p", "soft", text.result.noCurves);
  element = section(text.result.curves, this.#none, this.#grid);

  /** @param {Result} result */
  show(result) {
    const metrics = metricsOf(result).filter(({ training, validation }) => training.length || validation.length);
    setHidden(this.element, metrics.length === 0 && (result.state === "failed" || result.status === "stopped" || result.status === "finished"));
    setHidden(this.#none, metrics.length > 0);
    for (const { name, training, validation } of metrics) {
      /** @type {Line[]} */
      const lines = [{ name: text.result.training, values: training, tone: "first", dashed: false }];
      if (validation.length) lines.push({ name: text.result.validation, values: validation, tone: "second", dashed: true });
      this.#chart(name).draw(lines);
    }
  }

  close() {
    for (const chart of this.#charts.values()) chart.close();
  }

  /** @param {string} name */
  #chart(name) {
    const known = this.#charts.get(name);
    if (known) return known;
    const chart = new Chart(name);
    this.#charts.set(name, chart);
    this.#grid.append(chart.element);
    return chart;
  }
}
