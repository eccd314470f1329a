/** The editor of Python code. It is in a shadow tree, where CodeMirror adds no elements with styles to the page. */

import { make, setHidden, setText } from "../dom.js";
import { text } from "../text/common.js";

/** @typedef {import("./field.js").Part} Part */
/** @typedef {import("../vendor/codemirror.js").EditorView} EditorView */
/** @typedef {typeof import("../vendor/codemirror.js")} Library */

const AGAIN = 2000; // ms between two attempts to load the editor
const MARK_MARGIN = 200; // characters of a line at most that are underlined

/** @implements {Part} */
export class Code {
  element = make("div", "field");
  #host = make("div", "code");
  #hint = make("p", "field-hint");
  #error = make("p", "field-error");
  #away = make("p", "soft");
  #isClosed = false;
  #label;
  /** @type {EditorView | null} */
  #view = null;
  /** @type {Library | null} */
  #library = null;
  #value = "";
  #rows;

  /**
   * @param {string} name unique on the page
   * @param {string} label
   * @param {string} hint
   * @param {number} rows how many lines are seen at least
   */
  constructor(name, label, hint, rows) {
    this.#label = label;
    this.#rows = rows;
    const title = make("span", "field-name", label);
    this.#host.id = `field-${name}`;
    this.#away.setAttribute("role", "status");
    this.element.append(title, this.#away, this.#host, this.#hint, this.#error);
    title.addEventListener("click", () => this.focus());
    this.hint(hint);
    this.complain("");
    void this.#open();
  }

  get value() {
    return this.#view?.state.doc.toString() ?? this.#value;
  }

  set value(value) {
    this.#value = value.replace(/\r\n?/g, "\n"); // as the editor has them
    const doc = this.#view?.state.doc;
    if (doc && doc.toString() !== this.#value) this.#view?.dispatch({ changes: { from: 0, to: doc.length, insert: this.#value } });
  }

  /** @param {string} words */
  hint(words) {
    setText(this.#hint, words);
    setHidden(this.#hint, words === "");
    this.#describe();
  }

  /**
   * @param {string} words empty if nothing is wrong
   * @param {number | null} [line] the line that they are about, from 1
   */
  complain(words, line = null) {
    setText(this.#error, words);
    setHidden(this.#error, words === "");
    this.#host.toggleAttribute("data-invalid", words !== "");
    this.#describe();
    this.#mark(words, line);
  }

  focus() {
    this.#view?.focus();
  }

  close() {
    this.#isClosed = true;
    this.#view?.destroy();
  }

  async #open() {
    const library = await this.#loaded();
    if (this.#isClosed || !library) return;
    const root = this.#host.attachShadow({ mode: "open" });
    this.#library = library;
    this.#view = new library.EditorView({
      root,
      parent: root,
      state: library.EditorState.create({ doc: this.#value, extensions: extensionsOf(library, this.#label, this.#rows) }),
    });
    this.#describe();
    this.#view.dom.addEventListener("keydown", () => this.#error.textContent && this.complain(""));
  }

  /** The editor's library, as soon as the server answers. @returns {Promise<Library | null>} null if the page was left meanwhile */
  async #loaded() {
    for (let attempt = 0; !this.#isClosed; attempt += 1) {
      try {
        // Browsers may remember that an address could not be loaded.
        const library = await (attempt ? import(`../vendor/codemirror.js?${attempt}`) : import("../vendor/codemirror.js"));
        setText(this.#away, "");
        return library;
      } catch {
        setText(this.#away, text.editorAway);
        await new Promise((resolve) => setTimeout(resolve, AGAIN));
      }
    }
    return null;
  }

  /** Say to screen readers what is around the editor: from within the shadow tree, they do not reach it. */
  #describe() {
    const content = this.#view?.contentDOM;
    if (!content) return;
    const error = this.#error.textContent ?? "";
    content.setAttribute("aria-description", [error, this.#hint.textContent, text.leaveEditor].filter(Boolean).join(". "));
    content.setAttribute("aria-invalid", String(error !== ""));
  }

  /** @param {string} words @param {number | null} line */
  #mark(words, line) {
    if (!this.#view || !this.#library) return;
    const { state } = this.#view;
    const place = words && line !== null && line <= state.doc.lines ? state.doc.line(line) : null;
    const found = place ? [{ from: place.from, to: Math.min(place.to, place.from + MARK_MARGIN), severity: /** @type {const} */ ("error"), message: words }] : [];
    this.#view.dispatch(this.#library.setDiagnostics(state, found));
    if (place) this.#view.dispatch({ selection: { anchor: place.from }, scrollIntoView: true });
  }
}

/** @param {Library} library @param {string} label @param {number} rows */
function extensionsOf(library, label, rows) {
  const { EditorState, EditorView, tags } = library;
  const colours = library.HighlightStyle.define([
    { tag: [tags.keyword, tags.operatorKeyword, tags.controlKeyword, tags.definitionKeyword, tags.moduleKeyword], color: "var(--code-keyword)" },
    { tag: [tags.string, tags.special(tags.string)], color: "var(--code-string)" },
    { tag: [tags.number, tags.bool, tags.null], color: "var(--code-number)" },
    { tag: [tags.comment, tags.docString], color: "var(--ink-soft)", fontStyle: "italic" },
    { tag: [tags.function(tags.variableName), tags.className], color: "var(--code-name)" },
  ]);
  return [
    library.lineNumbers(),
    library.lintGutter(),
    library.history(),
    library.drawSelection(),
    library.indentUnit.of("    "),
    EditorState.tabSize.of(4),
    library.indentOnInput(),
    library.bracketMatching(),
    library.highlightActiveLine(),
    library.keymap.of([...library.defaultKeymap, ...library.historyKeymap, library.indentWithTab]),
    library.pythonLanguage,
    library.syntaxHighlighting(colours),
    EditorView.contentAttributes.of({ "aria-label": label, tabindex: "0", spellcheck: "false", autocapitalize: "off" }),
    EditorView.theme({
      "&": { fontSize: "var(--code-size)", color: "var(--ink)", maxHeight: "60vh", outline: "none" },
      ".cm-scroller": { fontFamily: "ui-monospace, SFMono-Regular, Menlo, Consolas, monospace", lineHeight: "1.5" },
      ".cm-content, .cm-gutter": { minHeight: `calc(${rows} * 1.5em + 8px)` },
      ".cm-content": { caretColor: "var(--ink)" },
      ".cm-cursor": { borderLeftColor: "var(--ink)" },
      ".cm-gutters": { backgroundColor: "var(--surface)", color: "var(--ink-soft)", border: "none" },
      ".cm-activeLine": { backgroundColor: "transparent" },
      "&.cm-focused .cm-activeLine": { backgroundColor: "var(--code-line)" },
      "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
        backgroundColor: "var(--code-selection)",
      },
      ".cm-matchingBracket": { backgroundColor: "var(--code-selection)", outline: "none" },
      ".cm-tooltip": { backgroundColor: "var(--raised)", color: "var(--ink)", border: "1px solid var(--hairline)" },
      ".cm-diagnostic-error": { borderLeftColor: "var(--no-signal)" },
    }),
  ];
}
