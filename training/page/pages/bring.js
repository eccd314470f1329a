/** The form that imports a trained model. */

import { make, setHidden } from "../dom.js";
import { choice, Field, offer, textArea } from "../parts/field.js";
import { empty } from "../parts/empty.js";
import { Form } from "../parts/form.js";
import { head } from "../parts/screen.js";
import { get, upload } from "../requests.js";
import { routeTo } from "../route.js";
import { text } from "../text/forms.js";

/** @typedef {import("../types.js").Configuration} Configuration */

/** @type {import("../parts/screen.js").Opens} */
export function openImport(_, app) {
  const words = text.bring;
  const configuration = choice([]);
  const file = make("input");
  file.type = "file";
  file.accept = ".h5,.hdf5,.keras,.pth,.pt";
  const fields = {
    configuration: new Field("configuration", words.configuration, configuration, words.configurationHint),
    file: new Field("file", words.file, file, words.fileHint),
    metrics: new Field("metrics", words.metrics, textArea(), words.metricsHint),
  };
  const form = new Form(fields, [], { submit: words.start, cancel: routeTo(["deployments"]) }, submit);
  const bar = make("progress", "bar-wide");
  const none = empty({ heading: words.title, lead: words.none, act: text.deployment.add }, routeTo(["configurations", "new"]), true);
  const element = make("div", "page");
  bar.hidden = form.element.hidden = none.hidden = true;
  bar.setAttribute("aria-label", words.start);
  form.element.append(bar);
  element.append(head(words.title), make("p", "", words.lead), form.element, none);

  async function submit() {
    const [chosen] = file.files ?? [];
    form.complain(chosen ? "" : words.noFile, chosen ? null : "file");
    if (!chosen) return;
    const sent = new FormData();
    sent.append("configuration", configuration.value);
    sent.append("trained_model", chosen);
    if (fields.metrics.value.trim()) sent.append("metrics", fields.metrics.value);
    setHidden(bar, false);
    const answer = await upload("deployments/import", sent, (share) => {
      bar.value = share;
      form.work(words.sending(share));
    });
    setHidden(bar, true);
    form.work(null);
    if (answer.ok) form.isTouched = false;
    if (answer.ok) app.go(routeTo(["results", answer.body.results[0].id]));
    else form.refuse(answer);
  }

  return {
    title: words.title,
    element,
    load: () => get("configurations/"),
    show: (/** @type {Configuration[]} */ rows) => {
      const single = rows.filter(({ ml_models }) => ml_models.length === 1);
      offer(configuration, single.map(({ id, name }) => [String(id), name]));
      setHidden(form.element, single.length === 0);
      setHidden(none, single.length > 0);
    },
    every: () => 5000,
    isDirty: () => form.isTouched,
  };
}
