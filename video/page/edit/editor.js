/** The dialog that adds a camera or changes one. */

import { loginTo } from "../addresses.js";
import { byId, ignoreDoubleClicks, make, setText } from "../dom.js";
import { changesOf, recordOf } from "./fields.js";
import { Form } from "./form.js";
import { Preview } from "./preview.js";
import { addCamera, changeCamera } from "./requests.js";
import { text } from "./text.js";

/** @typedef {import("./fields.js").Config} Config */
/** @typedef {import("./form.js").Known} Known */
/** @typedef {import("./requests.js").Answer} Answer */

export class Editor {
  #dialog = /** @type {HTMLDialogElement} */ (byId("editor"));
  #title = make("h2", "heading");
  #preview = new Preview();
  #form = new Form((link) => {
    this.#preview.close(); // it shows another link
    this.#allowPreview(link);
  });
  #look = make("button", "path", text.preview);
  #save = make("button", "path main", text.save);
  /** The camera that is changed; null if one is added. @type {string | null} */
  #camera = null;
  /** @type {Config} */
  #config = {};
  #added;
  #busy = false;
  /** How often it was opened. */
  #openings = 0;

  /** @param {(camera: string) => void} added called with the name of a camera that was added */
  constructor(added) {
    this.#added = added;
    const form = make("form", "editor-form");
    const cancel = make("button", "path", text.cancel);
    const end = make("div", "editor-end");
    this.#title.id = "editor-title";
    this.#dialog.setAttribute("aria-labelledby", this.#title.id);
    this.#look.type = cancel.type = "button";
    form.noValidate = true; // the server's words are better
    end.append(this.#look, cancel, this.#save);
    form.append(this.#title, this.#form.element, this.#preview.element, end);
    this.#dialog.replaceChildren(form);
    ignoreDoubleClicks(this.#dialog);
    this.#look.addEventListener("click", () => this.#startPreview());
    cancel.addEventListener("click", () => this.#close());
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#submit();
    });
    // The browser's own ways to close it. By the time the event comes, it may be open again.
    this.#dialog.addEventListener("close", () => this.#dialog.open || this.#forget());
  }

  /**
   * @param {string | null} camera null to add one
   * @param {Config} config its record
   * @param {Known} known
   */
  open(camera, config, known) {
    this.#camera = camera;
    this.#config = config;
    this.#openings += 1;
    this.#preview.close();
    setText(this.#title, camera === null ? text.addTitle : text.editTitle(camera));
    this.#form.open(camera, config, known);
    this.#allowPreview("");
    this.#work(false);
    this.#dialog.showModal();
    this.#dialog.scrollTop = 0;
    this.#form.focus(camera === null ? "name" : "link");
  }

  async #submit() {
    if (this.#busy) return;
    const { values } = this.#form;
    const name = this.#camera ?? values.name.trim();
    const opening = this.#openings;
    this.#form.complain("");
    this.#work(true);
    const answer = await (this.#camera === null
      ? addCamera(name, recordOf(values))
      : changeCamera(name, changesOf(this.#config, values)));
    if (!this.#dialog.open || opening !== this.#openings) return; // the answer is about another form
    this.#work(false);
    if (!answer.ok) {
      this.#refuse(answer);
    } else {
      this.#close();
      if (this.#camera === null) this.#added(name);
    }
  }

  #close() {
    this.#dialog.close();
    this.#forget();
  }

  #forget() {
    this.#preview.close();
    this.#form.clear();
  }

  async #startPreview() {
    const { link, scale, rotate, interval } = recordOf(this.#form.values);
    this.#form.complain("");
    const answer = await this.#preview.start({ link, scale, rotate, interval });
    if (answer && !answer.ok) this.#refuse(answer);
  }

  /** @param {{status: number, why: string}} answer */
  #refuse({ status, why }) {
    if (status === 401) this.#form.complain(text.loggedOut, [loginLink()]);
    else if (status === 403) this.#form.complain(text.notAllowed(why));
    else if (status === 404 && this.#camera !== null) this.#form.complain(text.gone(this.#camera));
    else if (status === 409 && why.includes("exists")) this.#form.complain(`name: ${why.replace(/^name: /, "")}`);
    else this.#form.complain(why);
    this.#dialog.scrollTop = 0;
    this.#dialog.querySelector("[aria-invalid]")?.scrollIntoView({ block: "nearest" });
  }

  /** @param {string} link as it is typed now */
  #allowPreview(link) {
    this.#look.disabled = link === "";
    this.#look.title = link === "" ? text.previewNeedsLink : "";
  }

  /** @param {boolean} busy whether the server has to answer first */
  #work(busy) {
    this.#busy = busy;
    this.#save.setAttribute("aria-disabled", String(busy));
    setText(this.#save, busy ? text.saving : text.save);
  }
}

function loginLink() {
  const link = make("a", "problem-link", text.logIn);
  link.href = loginTo(location.pathname);
  link.target = "_blank";
  return link;
}
