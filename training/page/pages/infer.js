/** The form that starts an inference. */

import { make } from "../dom.js";
import { sentOf, topicOf } from "../fields.js";
import { choice, Field, textArea, textInput } from "../parts/field.js";
import { Form } from "../parts/form.js";
import { head } from "../parts/screen.js";
import { all, get, post } from "../requests.js";
import { idIn, routeTo } from "../route.js";
import { jsonOf } from "../streams.js";
import { text } from "../text/forms.js";
import { text as lists } from "../text/lists.js";
import { text as results } from "../text/result.js";
import { watchOf } from "./inferences.js";

/** @typedef {import("../types.js").Result} Result */

const FORMATS = ["RAW", "AVRO", "JPEG", "JSON", "TELEGRAF_STR_JSON"];

/** @type {import("../parts/screen.js").Opens} */
export function openInfer({ rest }, app) {
  const words = text.inference;
  const id = idIn(rest[0]) ?? 0;
  const broker = () => textInput({ placeholder: "kafka:9092" });
  const fields = {
    input_topic: new Field("input_topic", words.input, textInput(), words.inputHint),
    output_topic: new Field("output_topic", words.output, textInput(), words.outputHint),
    input_format: new Field("input_format", words.format, choice(FORMATS.map((each) => [each, each]))),
    input_config: new Field("input_config", words.config, textArea({ rows: "6" }), words.configHint),
    replicas: new Field("replicas", words.replicas, textInput({ inputmode: "numeric" }), words.replicasHint),
    input_kafka_broker: new Field("input_kafka_broker", words.inputBroker, broker(), words.brokerHint),
    output_kafka_broker: new Field("output_kafka_broker", words.outputBroker, broker(), words.brokerHint),
    model_server: new Field("model_server", words.server, textInput({ inputmode: "url" }), words.serverHint),
  };
  const more = ["input_kafka_broker", "output_kafka_broker", "model_server"];
  const cancel = routeTo(["results", id]);
  const form = new Form(fields, more, { submit: words.start, more: words.more, cancel }, submit);
  const title = head(words.title(results.result.name(id).toLowerCase()));
  const prefilled = make("p", "soft", words.prefilled);
  const element = make("div", "page");
  prefilled.hidden = form.element.hidden = true;
  element.append(title, prefilled, form.element);
  form.values = { replicas: "1" };

  async function submit() {
    form.complain("");
    form.work(words.starting);
    const answer = await post(`results/inference/${id}`, sentOf(form.values));
    form.work(null);
    if (!answer.ok) {
      form.refuse(answer);
      return;
    }
    form.isTouched = false;
    app.go(watchOf(answer.body));
  }

  let isFilled = false;
  /** @param {{known: {input_format?: string, input_config: string}, rows: Result[]}} found */
  function show({ known, rows }) {
    const result = rows.find((each) => each.id === id);
    if (isFilled || !result) return;
    isFilled = true;
    form.element.hidden = false;
    title.querySelector("h2")?.replaceChildren(words.title(lists.results.title(result)));
    const topic = topicOf(result.model.name);
    form.values = { input_topic: `${topic}-input`, output_topic: `${topic}-predictions` };
    if (known.input_format) {
      prefilled.hidden = false;
      form.values = { input_format: known.input_format, input_config: prettyOf(known.input_config) };
    }
    if (result.status !== "finished") form.complain(words.notFinished);
  }

  return {
    title: words.title(results.result.name(id).toLowerCase()),
    element,
    load: () => all({ known: get(`results/inference/${id}`), rows: get("results/") }),
    show,
    isDirty: () => form.isTouched,
    every: () => (isFilled ? 60_000 : 4000),
  };
}

/** @param {string} config JSON */
const prettyOf = (config) => (Object.keys(jsonOf(config)).length ? JSON.stringify(jsonOf(config), null, 2) : config);
