/** The form that starts a training. */

import { make, setHidden } from "../dom.js";
import { sentOf } from "../fields.js";
import { checkBox, choice, Field, offer, textInput } from "../parts/field.js";
import { Form } from "../parts/form.js";
import { empty } from "../parts/empty.js";
import { head } from "../parts/screen.js";
import { all, get, post } from "../requests.js";
import { idIn, routeTo } from "../route.js";
import { nameOf } from "../streams.js";
import { text as common } from "../text/common.js";
import { text } from "../text/forms.js";

/** @typedef {import("../types.js").Configuration} Configuration */
/** @typedef {import("../types.js").Datasource} Datasource */

/** The fields that are check boxes. */
const CHECKS = ["conf_mat_settings", "autoserve", "random_split"];

/** @type {import("../parts/screen.js").Opens} */
export function openDeploy({ query }, app) {
  const words = text.deployment;
  const wanted = { configuration: idIn(query.get("configuration")), datasource: idIn(query.get("datasource")) };
  const configuration = choice([]);
  const datasource = choice([["", words.newData]]);
  const number = { inputmode: "numeric" };
  const long = { maxlength: "100" };
  const fields = {
    configuration: new Field("configuration", words.configuration, configuration),
    datasource: new Field("datasource", words.data, datasource, words.dataHint),
    tf_kwargs_fit: new Field("tf_kwargs_fit", words.tfFit, textInput(long), words.tfFitHint),
    pth_kwargs_fit: new Field("pth_kwargs_fit", words.pthFit, textInput(long), words.pthFitHint),
    batch: new Field("batch", words.batch, textInput(number), words.batchHint),
    conf_mat_settings: new Field("conf_mat_settings", words.matrix, checkBox(), words.matrixHint),
    tf_kwargs_val: new Field("tf_kwargs_val", words.tfVal, textInput(long), words.tfValHint),
    pth_kwargs_val: new Field("pth_kwargs_val", words.pthVal, textInput(long), words.pthValHint),
    autoserve: new Field("autoserve", words.autoserve, checkBox(), words.autoserveHint),
    random_split: new Field("random_split", words.random, checkBox(), words.randomHint),
    seed: new Field("seed", words.seed, textInput(number), words.seedHint),
    gpumem: new Field("gpumem", words.gpus, textInput(number), words.gpusHint),
    node_selector: new Field("node_selector", words.nodes, textInput(), words.nodesHint),
    tolerations: new Field("tolerations", words.tolerations, textInput(), words.tolerationsHint),
  };
  const more = ["tf_kwargs_val", "pth_kwargs_val", "autoserve", "random_split", "seed", "gpumem", "node_selector", "tolerations"];
  const form = new Form(fields, more, { submit: words.start, more: words.more, cancel: routeTo(["deployments"]) }, submit);
  const none = empty({ heading: words.title, lead: words.none, act: words.add }, routeTo(["configurations", "new"]), true);
  const element = make("div", "page");
  form.values = { tf_kwargs_fit: "epochs=10", pth_kwargs_fit: "max_epochs=10", batch: "32", gpumem: "0" };
  form.element.hidden = none.hidden = true;
  element.append(head(words.title), form.element, none);
  configuration.addEventListener("change", () => void showFrameworks());

  /** Show only the arguments of frameworks that the configuration has. */
  async function showFrameworks() {
    const id = configuration.value;
    const answer = id ? await get(`frameworksInConfiguration/${id}`) : null;
    if (!answer?.ok || configuration.value !== id) return;
    for (const framework of /** @type {const} */ (["tf", "pth"])) {
      for (const use of /** @type {const} */ (["fit", "val"])) {
        setHidden(fields[`${framework}_kwargs_${use}`].element, !answer.body.includes(framework));
      }
    }
  }

  async function submit() {
    form.complain("");
    form.work(words.starting);
    const answer = await post("deployments/", sentOf(form.values, CHECKS));
    form.work(null);
    if (!answer.ok) form.refuse(answer);
    else {
      form.isTouched = false;
      const [only, ...others] = answer.body.results;
      app.go(others.length ? routeTo(["results"], { deployment: answer.body.id }) : routeTo(["results", only.id]));
    }
  }

  let isFirst = true;
  return {
    title: words.title,
    element,
    load: () => all({ configurations: get("configurations/"), datasources: get("datasources/") }),
    show: (/** @type {{configurations: Configuration[], datasources: Datasource[]}} */ { configurations, datasources }) => {
      const before = configuration.value;
      offer(configuration, configurations.map(({ id, name }) => [String(id), name]));
      offer(datasource, [["", words.newData], ...datasources.map(optionOf)]);
      if (isFirst && configurations.some(({ id }) => id === wanted.configuration)) configuration.value = String(wanted.configuration);
      if (isFirst && datasources.some(({ id }) => id === wanted.datasource)) datasource.value = String(wanted.datasource);
      isFirst = false;
      if (before && configuration.value !== before && !configurations.some(({ id }) => String(id) === before)) fields.configuration.complain(words.gone);
      setHidden(none, configurations.length > 0);
      setHidden(form.element, configurations.length === 0);
      if (configuration.value !== before) void showFrameworks();
    },
    every: () => 5000,
    isDirty: () => form.isTouched,
  };
}

/** @param {Datasource} row @returns {[string, string]} */
const optionOf = (row) => [String(row.id), `${nameOf(row)}, ${common.time(row.time)}`];
