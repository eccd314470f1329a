/** Predictions, live. */

import { make, setHidden, setText } from "../dom.js";
import { choice, Field, offer, textArea, textInput } from "../parts/field.js";
import { Form } from "../parts/form.js";
import { head } from "../parts/screen.js";
import { tellsClasses } from "../metrics.js";
import { all, get } from "../requests.js";
import { routeTo } from "../route.js";
import { readStored, store } from "../stored.js";
import { text as common } from "../text/common.js";
import { text } from "../text/result.js";
import { configOf } from "../visual/config.js";
import { Digits, takesDigits } from "../visual/digits.js";
import { ShownClasses, ShownNumbers } from "../visual/shown.js";
import { Predictions } from "../visual/socket.js";

/** @typedef {import("../types.js").Inference} Inference */
/** @typedef {import("../types.js").Result} Result */
/** @typedef {import("../visual/config.js").Config} Config */

const TOPIC = /^(?!\.\.?$)[\w.-]{1,249}$/;

/** @type {import("../parts/screen.js").Opens} */
export function openVisualisation({ query }, app) {
  const words = text.visual;
  const topics = make("datalist");
  topics.id = "topics";
  const kind = choice(/** @type {[string, string][]} */ (Object.entries(words.kinds)));
  const fields = {
    topic: new Field("topic", words.topic, textInput({ list: topics.id }), words.topicHint),
    kind: new Field("kind", words.kind, kind),
    config: new Field("config", words.config, textArea({ rows: "5" }), words.configHint),
  };
  const form = new Form(fields, ["config"], { submit: words.start, more: words.config }, async () => start(), false);
  const state = make("p", "soft");
  const place = make("div");
  const digits = new Digits();
  const element = make("div", "page");
  const controls = make("div", "card");
  state.setAttribute("role", "status");
  controls.append(form.element, topics, state);
  element.append(head(words.name), make("p", "", words.lead), controls, digits.element, place);
  /** @type {Predictions | null} */
  let predictions = null;
  /** @type {import("../visual/shown.js").Shown | null} */
  let shown = null;
  /** @type {Inference[] | null} */
  let inferences = null;
  let topic = "";
  let isWaiting = false; // for the first prediction

  function sayWhatIsWaitedFor() {
    const isWritten = inferences === null || inferences.some((each) => each.output_topic === topic && each.status === "deployed");
    if (isWaiting) setText(state, isWritten ? words.waiting : words.noWriter);
  }

  /** @param {string} trouble */
  function sayTrouble(trouble) {
    isWaiting = false;
    setText(state, trouble);
  }

  function stop() {
    predictions?.close();
    shown?.close();
    predictions = shown = null;
    place.replaceChildren();
  }

  function start() {
    const values = form.values;
    form.complain("");
    /** @type {Config} */
    let config;
    try {
      config = configOf(values.config);
    } catch (error) {
      form.complain(/** @type {Error} */ (error).message, "config");
      return;
    }
    if (config.type) kind.value = config.type;
    topic = values.topic.trim();
    if (!TOPIC.test(topic)) {
      form.complain(topic ? words.badTopic : words.noTopic, "topic");
      return;
    }
    store(`training.visual.${topic}`, { kind: kind.value, config: values.config });
    if (topic !== wanted) {
      app.go(routeTo(["visualisation"], { topic })); // so that the address can be kept
      return;
    }
    stop();
    const isClasses = kind.value === "classification";
    shown = isClasses ? new ShownClasses(config) : new ShownNumbers(config);
    shown.element.hidden = true;
    place.replaceChildren(shown.element);
    setText(state, words.connecting);
    predictions = new Predictions(topic, isClasses, {
      opened: () => {
        isWaiting = true;
        sayWhatIsWaitedFor();
      },
      heard: (prediction, headers) => {
        isWaiting = false;
        setText(state, "");
        if (shown) setHidden(shown.element, false);
        shown?.add(prediction);
        digits.hear(prediction, headers);
      },
      lost: () => sayTrouble(words.lost),
      refused: (why) => sayTrouble(words.refused(common.sentence(why))),
    });
    offerDigits();
  }

  function offerDigits() {
    const found = inferences?.find((each) => each.output_topic === topic && takesDigits(each)) ?? null;
    digits.show(shown instanceof ShownClasses ? found : null);
  }

  const wanted = query.get("topic") ?? "";
  const before = /** @type {{kind?: string, config?: string} | null} */ (wanted ? readStored(`training.visual.${wanted}`) : null);
  let isStarted = wanted === "";
  form.values = { topic: wanted };
  if (before) {
    form.values = { kind: before.kind ?? "classification", config: before.config ?? "" };
    isStarted = true;
    start();
  }
  return {
    title: words.name,
    element,
    load: () => all({ rows: get("inferences/"), ...(isStarted ? {} : { results: get("results/") }) }),
    show: (/** @type {{rows: Inference[], results?: Result[]}} */ { rows, results = [] }) => {
      inferences = rows;
      offer(topics, [...new Set(rows.map(({ output_topic }) => output_topic))].map((name) => [name, name]));
      if (!isStarted) {
        isStarted = true;
        kind.value = kindOf(wanted, rows, results);
        start();
      }
      offerDigits();
      sayWhatIsWaitedFor();
    },
    every: () => 4000,
    close: stop,
  };
}

/**
 * Return what a topic's predictions are, as far as the model says that writes them.
 * @param {string} topic
 * @param {Inference[]} inferences
 * @param {Result[]} results
 */
function kindOf(topic, inferences, results) {
  const found = inferences.filter(({ output_topic }) => output_topic === topic).at(-1);
  const result = results.find(({ id }) => id === found?.model_result);
  return !result || tellsClasses(result) ? "classification" : "regression";
}
