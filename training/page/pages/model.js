/** A model: its code, in an editor that shows the line of an error. */

import { make, setHidden } from "../dom.js";
import { Code } from "../parts/code.js";
import { placeOf } from "../parts/complaint.js";
import { choice, Field, textInput } from "../parts/field.js";
import { Form } from "../parts/form.js";
import { Saved } from "../parts/saved.js";
import { button, head } from "../parts/screen.js";
import { get, post, put } from "../requests.js";
import { idIn, routeTo } from "../route.js";
import { showNotice } from "../notice.js";
import { text as common } from "../text/common.js";
import { text } from "../text/forms.js";

/** What was typed and not saved, by model: it is still there when one comes back. @type {Map<string, Record<string, string>>} */
const drafts = new Map();

/** @typedef {"tf" | "pth"} Framework */

/** @type {import("../parts/screen.js").Opens} */
export function openModel({ rest }, app) {
  const words = text.model;
  const id = idIn(rest[0]);
  const key = String(id ?? "new");
  const framework = choice(/** @type {[string, string][]} */ (Object.entries(words.frameworks)));
  const imports = new Code("imports", words.imports, words.importsHint, 2);
  const code = new Code("code", words.code, words.codeHint.tf, 14);
  const fields = {
    name: new Field("name", words.name, textInput(), words.nameHint),
    description: new Field("description", words.description, textInput()),
    framework: new Field("framework", words.framework, framework),
    code,
    imports,
  };
  const title = head(id === null ? words.addTitle : "…");
  const kept = make("p", "note", `${words.kept} `);
  const form = new Form(fields, [], { submit: words.save, cancel: routeTo(["models"]) }, submit);
  const saved = new Saved(() => form.values, fill);
  const element = make("div", "page");
  let isSaved = false;

  async function submit() {
    form.complain("");
    form.work(words.checking);
    showNotice(words.checkingLead);
    const sent = form.values;
    const answer = await (id === null ? post("models/", sent) : put(`models/${id}`, { ...other, ...sent }));
    form.work(null);
    if (!answer.ok) {
      showNotice("");
      refuse(answer);
      return;
    }
    isSaved = true;
    drafts.delete(key);
    showNotice(words.saved(sent.name));
    app.go(routeTo(["models"]));
  }

  /** @param {{status: number, why: string}} answer */
  function refuse({ status, why }) {
    const place = placeOf(why);
    if (!place || !form.element.isConnected) {
      form.refuse({ status, why });
      return;
    }
    const short = common.sentence(why.replace(/^Information not valid: /, ""));
    form.complain(short, place.text);
    fields[place.text].complain(short, place.line);
  }

  /** Fields that the form does not show. @type {Record<string, unknown>} */
  let other = {};

  /** @param {Record<string, string>} values */
  function fill(values) {
    form.values = values;
    code.hint(words.codeHint[/** @type {Framework} */ (framework.value)] ?? "");
  }

  framework.addEventListener("change", () => {
    const now = /** @type {Framework} */ (framework.value);
    const before = now === "tf" ? "pth" : "tf";
    if (code.value === words.example[before]) code.value = words.example[now];
    code.hint(words.codeHint[now]);
  });

  /** Put what was typed before into the form. */
  function restore() {
    const draft = drafts.get(key);
    if (draft) fill(draft);
    setHidden(kept, !draft);
  }

  /** @param {import("../types.js").Model} model */
  function show({ name, description, framework, imports, code, distributed, father }) {
    const isFirst = Object.keys(other).length === 0;
    other = { distributed, father };
    title.querySelector("h2")?.replaceChildren(words.editTitle(name));
    form.element.hidden = false;
    saved.show({ name, description, framework, imports, code });
    if (isFirst) restore();
  }

  kept.append(
    button(words.discard, () => {
      drafts.delete(key);
      setHidden(kept, true);
      saved.discard();
    }),
  );
  kept.hidden = true;
  form.element.hidden = id !== null;
  element.append(title, kept, saved.element, form.element, make("p", "soft", common.leaveEditor));
  if (id === null) {
    saved.show({ name: "", description: "", framework: "tf", imports: "", code: words.example.tf });
    restore();
  }
  const isChanged = () => !isSaved && saved.isChanged;
  return {
    title: id === null ? words.addTitle : words.edit,
    element,
    ...(id === null ? {} : { load: () => get(`models/${id}`), show }),
    isDirty: isChanged,
    close: () => {
      if (isChanged()) drafts.set(key, form.values);
      imports.close();
      code.close();
    },
  };
}
