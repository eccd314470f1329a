/** A model: its code, in an editor that shows the line of an error. */

import { make, setHidden } from "../dom.js";
import { Code } from "../parts/code.js";
import { placeOf } from "../parts/complaint.js";
import { choice, Field, textInput } from "../parts/field.js";
import { Form } from "../parts/form.js";
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
    name: new Field("name", words.name, textInput({ maxlength: "30" }), words.nameHint),
    description: new Field("description", words.description, textInput({ maxlength: "100" })),
    framework: new Field("framework", words.framework, framework),
    code,
    imports,
  };
  /** What the server has; null while that is not known. @type {Record<string, string> | null} */
  let saved = id === null ? { name: "", description: "", framework: "tf", imports: "", code: words.example.tf } : null;
  const title = head(id === null ? words.addTitle : "…");
  const kept = make("p", "note", `${words.kept} `);
  const form = new Form(fields, [], { submit: words.save, cancel: routeTo(["models"]) }, submit);
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
    if (!place) {
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

  const isChanged = () => saved !== null && Object.entries(form.values).some(([name, value]) => value !== saved?.[name]);

  framework.addEventListener("change", () => {
    const now = /** @type {Framework} */ (framework.value);
    const before = now === "tf" ? "pth" : "tf";
    if (code.value === words.example[before]) code.value = words.example[now];
    code.hint(words.codeHint[now]);
  });

  async function open() {
    if (id !== null) {
      const answer = await get(`models/${id}`);
      if (!answer.ok) {
        form.complain(answer.why);
        return;
      }
      const { name, description, framework, imports, code, distributed, father } = answer.body;
      other = { distributed, father };
      saved = { name, description, framework, imports, code };
      title.querySelector("h2")?.replaceChildren(words.editTitle(name));
    }
    const draft = drafts.get(key);
    setHidden(kept, !draft);
    fill(draft ?? /** @type {Record<string, string>} */ (saved));
  }

  kept.append(
    button(words.discard, () => {
      drafts.delete(key);
      setHidden(kept, true);
      if (saved) fill(saved);
    }),
  );
  kept.hidden = true;
  element.append(title, kept, form.element, make("p", "soft", words.leave));
  void open();
  return {
    title: id === null ? words.addTitle : words.code,
    element,
    isDirty: () => !isSaved && isChanged(),
    close: () => {
      if (!isSaved && isChanged()) drafts.set(key, form.values);
      imports.close();
      code.close();
    },
  };
}
