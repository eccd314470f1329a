/** Models of the same kind next to each other, such as two precisions of one: what they say, and how fast. */

import { siblingOf } from "../comparison.js";
import { make, makeForeign, setHidden, setText } from "../dom.js";
import { text } from "../text.js";

/** @typedef {import("../details.js").Panel} Panel */
/** @typedef {import("../live/types.js").Prediction} Prediction */
/** @typedef {import("../tile.js").Tile} Tile */

const ROWS = /** @type {const} */ (["label", "probability", "took", "age", "same"]);

/** The cells of one model, by row. */
class Column {
  head = make("th", "compare-model");
  label = makeForeign("td", "compare-label");
  probability = make("td");
  took = make("td");
  age = make("td");
  same = make("td");

  /** @param {string} model */
  constructor(model) {
    this.head.textContent = this.head.title = model;
    this.head.scope = "col";
  }

  /** @param {Prediction} prediction @param {Prediction[]} all @param {Tile} tile */
  update({ model, results, seq, age_ms }, all, { comparison }) {
    const [first] = results;
    setText(this.label, seq === null ? text.noAnswer : (first?.label ?? text.nothing));
    setText(this.probability, first ? text.probability(first.score) : text.noFigure);
    setText(this.age, age_ms === null ? text.noFigure : text.span(age_ms));
    setText(this.took, text.took(comparison.tookOf(model)));
    // The first of its kind is what the others are compared with.
    const other = all.find((each) => each.model === model || siblingOf(model, all) === each.model)?.model ?? model;
    const { same, of } = comparison.agreementOf(model, other);
    setText(this.same, other === model ? text.noFigure : text.same(same, of));
  }
}

/** @implements {Panel} */
export class Compare {
  /** @type {"side"} */
  place = "side";
  element = make("section", "section");
  #table = make("table", "compare");
  /** By model. @type {Map<string, Column>} */
  #columns = new Map();
  /** @type {Tile | null} */
  #tile = null;

  constructor() {
    this.element.append(make("h3", "section-name", text.comparison), this.#table);
    this.element.append(make("p", "compare-note", text.comparisonNote));
  }

  /** @param {Tile} tile */
  open(tile) {
    this.#tile = tile;
    this.update();
  }

  update() {
    if (!this.#tile) return;
    const all = this.#tile.camera.predictions;
    const compared = all.filter(({ model }) => siblingOf(model, all) !== null);
    setHidden(this.element, compared.length === 0);
    if (compared.map(({ model }) => model).join() !== [...this.#columns.keys()].join()) this.#build(compared);
    for (const each of compared) this.#columns.get(each.model)?.update(each, all, this.#tile);
  }

  close() {
    this.#tile = null;
  }

  /** @param {Prediction[]} compared */
  #build(compared) {
    this.#columns = new Map(compared.map(({ model }) => [model, new Column(model)]));
    const columns = [...this.#columns.values()];
    const head = make("thead");
    const body = make("tbody");
    const models = make("tr");
    models.append(make("td"), ...columns.map((column) => column.head));
    head.append(models);
    for (const name of ROWS) {
      const row = make("tr");
      const title = make("th", "", text.compared[name]);
      title.scope = "row";
      row.append(title, ...columns.map((column) => column[name]));
      body.append(row);
    }
    this.#table.replaceChildren(head, body);
  }
}
