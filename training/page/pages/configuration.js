/** A configuration: which models are trained together. */

import { make } from "../dom.js";
import { Boxes } from "../parts/boxes.js";
import { Field, textInput } from "../parts/field.js";
import { Form } from "../parts/form.js";
import { Saved } from "../parts/saved.js";
import { head } from "../parts/screen.js";
import { all, get, post, put } from "../requests.js";
import { idIn, routeTo } from "../route.js";
import { showNotice } from "../notice.js";
import { text as common } from "../text/common.js";
import { text } from "../text/forms.js";

/** @typedef {import("../types.js").Model} Model */

/** @type {import("../parts/screen.js").Opens} */
export function openConfiguration({ rest }, app) {
  const words = text.configuration;
  const id = idIn(rest[0]);
  const models = new Boxes("models", words.models, words.modelsHint, words.noModels, {
    words: words.addModel,
    href: routeTo(["models", "new"]),
  });
  const fields = {
    name: new Field("name", words.name, textInput(), words.nameHint),
    models,
    description: new Field("description", words.description, textInput()),
  };
  const form = new Form(fields, [], { submit: common.save, cancel: routeTo(["configurations"]) }, submit);
  const title = head(id === null ? words.addTitle : "…");
  const saved = new Saved(
    () => ({ ...form.values, models: inOrder(models.chosen) }),
    (values) => (form.values = values),
  );
  const element = make("div", "page");
  let isSaved = false;
  form.element.hidden = id !== null;
  element.append(title, saved.element, form.element);

  async function submit() {
    const { name, description } = form.values;
    const sent = { name, description, ml_models: models.chosen };
    form.complain("");
    form.work(common.saving);
    const answer = await (id === null ? post("configurations/", sent) : put(`configurations/${id}`, sent));
    form.work(null);
    if (!answer.ok) {
      form.refuse(answer);
      return;
    }
    isSaved = true;
    showNotice(words.saved(name));
    app.go(routeTo(["configurations"]));
  }

  if (id === null) saved.show({ name: "", description: "", models: "" });
  return {
    title: id === null ? words.addTitle : words.edit,
    element,
    isDirty: () => !isSaved && saved.isChanged,
    load: () => all({ models: get("models/"), ...(id === null ? {} : { now: get(`configurations/${id}`) }) }),
    show: ({ models: known, now }) => {
      models.show(known.map((/** @type {Model} */ { id, name, framework }) => [id, `${name} (${common.framework(framework)})`]));
      if (!now) return;
      form.element.hidden = false;
      title.querySelector("h2")?.replaceChildren(words.editTitle(now.name));
      const chosen = now.ml_models.map((/** @type {Model} */ each) => each.id);
      saved.show({ name: now.name, description: now.description, models: inOrder(chosen) });
    },
    every: () => 5000,
  };
}

/** @param {number[]} ids */
const inOrder = (ids) => [...ids].sort((one, other) => one - other).join();
