/** A result: how its training goes, its curves, its matrix, its log, and its model. */

import { make, setData, setHidden, setText } from "../dom.js";
import { metricsOf } from "../metrics.js";
import { empty } from "../parts/empty.js";
import { replaceActs } from "../parts/focus.js";
import { button, head, link, section } from "../parts/screen.js";
import { isActive, shareOf, toneOf } from "../progress.js";
import { all, get } from "../requests.js";
import { idIn, routeTo } from "../route.js";
import { text as common } from "../text/common.js";
import { text } from "../text/result.js";
import { removeResult, stopResult } from "./acts.js";
import { Curves } from "./curves.js";
import { Facts } from "./facts.js";
import { Log } from "./log.js";
import { Matrix } from "./matrix.js";
import { metricTable } from "./metrics.js";
import { sendingTo } from "./sending.js";
import { Versions } from "./versions.js";

/**
 * @template [Body=any]
 * @typedef {import("../requests.js").Answer<Body>} Answer
 */
/** @typedef {import("../types.js").ModelVersions} ModelVersions */
/** @typedef {import("../types.js").Result} Result */

/** @type {import("../parts/screen.js").Opens} */
export function openResult({ rest }, app) {
  const words = text.result;
  const id = idIn(rest[0]) ?? 0;
  const title = head(words.name(id), link(words.all, routeTo(["results"])));
  const heading = /** @type {HTMLElement} */ (title.querySelector("h2"));
  const status = new Status();
  const acts = make("div", "page-acts");
  const curves = new Curves();
  const metrics = section(words.metrics);
  const matrix = new Matrix(id);
  const versions = new Versions(id, app);
  const log = new Log(id);
  const facts = new Facts();
  const missing = empty(words.missing(id), routeTo(["results"]));
  const page = make("div", "page");
  const found = make("div", "result");
  /** @type {ReturnType<typeof sendingTo> | null} */
  let sending = null;
  /** @type {Result | null} */
  let now = null;
  let shownMetrics = "";
  found.append(status.element, acts, curves.element, metrics, matrix.element, versions.element, facts.element, log.element);
  found.hidden = missing.hidden = true;
  page.append(title, found, missing);

  /** @param {Result} result */
  function show(result) {
    now = result;
    setText(heading, `${result.model.name}, ${words.name(id).toLowerCase()}`);
    status.show(result);
    if (!sending) {
      sending = sendingTo(result.deployment.id);
      status.element.after(sending.element);
    }
    void sending.show(result.state === "waiting");
    showActs(result);
    curves.show(result);
    const key = JSON.stringify(metricsOf(result));
    if (key !== shownMetrics) {
      shownMetrics = key;
      metrics.replaceChildren(/** @type {Element} */ (metrics.firstElementChild), metricTable(metricsOf(result)));
    }
    setHidden(metrics, metricsOf(result).length === 0);
    matrix.show(result);
    facts.show(result);
    log.ask(isActive(result.state));
  }

  /** @param {Result} result */
  function showActs({ status, state, train_metrics }) {
    const key = JSON.stringify([status, isActive(state), train_metrics !== null]);
    if (acts.dataset.key === key) return;
    acts.dataset.key = key;
    const file = link(words.download, `results/model/${id}`);
    const chart = link(words.chart, `results/chart/${id}`);
    file.download = "";
    chart.download = `result-${id}.json`;
    const current = () => /** @type {Result} */ (now);
    replaceActs(acts, [
      ...(status === "finished" ? [link(words.predict, routeTo(["predict", id]), "main changes"), file] : []),
      ...(train_metrics ? [link(words.compare, routeTo(["compare", id])), chart] : []),
      ...(isActive(state) ? [button(common.stop, () => stopResult(current(), app), "warn changes")] : []),
      ...(status === "deployed" ? [] : [button(common.remove, () => removeResult(current(), () => app.go(routeTo(["results"]))), "warn changes")]),
    ]);
  }

  /** The model's versions, once it has finished: they are shown together with that, so that nothing moves later. @param {Answer<Result[]>} rows @returns {Promise<Answer>} */
  async function versionsFor(rows) {
    const result = rows.ok ? rows.body.find((row) => row.id === id) : null;
    return result?.status === "finished" ? get("versions/") : { ok: true, body: null };
  }

  return {
    title: words.name(id),
    element: page,
    // GET /results/ID would fetch the untrained model, as its job does.
    load: () => {
      const rows = get(now ? `deployments/results/${now.deployment.id}` : "results/");
      return all({ rows, known: rows.then(versionsFor) });
    },
    show: (/** @type {{rows: Result[], known: ModelVersions[] | null}} */ { rows, known }) => {
      const result = rows.find((row) => row.id === id);
      setHidden(found, !result);
      setHidden(missing, result !== undefined);
      if (result) show(result);
      if (result && known) versions.show(result.model.name, known);
    },
    every: () => (now && !isActive(now.state) ? 4000 : 1000),
    close: () => curves.close(),
  };
}

/** What it does now, how far it is, and why it has failed. */
class Status {
  element = make("section", "card status-card");
  #state = make("p", "state");
  #words = make("p", "soft");
  #bar = make("progress", "bar-wide");
  #reason = make("p", "reason");

  constructor() {
    this.#bar.setAttribute("aria-label", text.result.progress);
    this.#state.setAttribute("role", "status");
    this.#reason.dir = "auto";
    this.element.append(this.#state, this.#bar, this.#words, this.#reason);
  }

  /** @param {Result} result */
  show(result) {
    const { state, reason } = result;
    const words = common.progress(result);
    const share = shareOf(result);
    setData(this.#state, "state", toneOf(state));
    setText(this.#state, common.state(state));
    setText(this.#words, words);
    setHidden(this.#words, words === "");
    setHidden(this.#bar, !isActive(state));
    if (share === null) this.#bar.removeAttribute("value");
    else this.#bar.value = share;
    const lead = state === "failed" ? `${text.result.reason}: ` : state === "finished" && reason ? `${text.result.trouble} ` : "";
    setText(this.#reason, reason ? `${lead}${lead ? reason : common.sentence(reason)}` : "");
    setHidden(this.#reason, !reason);
    this.#reason.toggleAttribute("data-bad", state === "failed");
  }
}
