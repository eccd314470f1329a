/** Helpers that create elements, and that change them only if necessary. */

const SVG = "http://www.w3.org/2000/svg";

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {string} [name] its CSS class
 * @param {string} [content] its text
 */
export function make(tag, name = "", content = "") {
  const element = document.createElement(tag);
  if (name) element.className = name;
  if (content) element.textContent = content;
  return element;
}

/**
 * An element for a text that users or cameras chose: it may be written from right to left.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {string} name its CSS class
 * @param {string} [content] its text
 */
export function makeForeign(tag, name, content = "") {
  const element = make(tag, name, content);
  element.dir = "auto";
  return element;
}

/**
 * @template {keyof SVGElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, string>} attributes
 */
export function makeSvg(tag, attributes) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

/**
 * Return one of the icons defined in index.html. It is only decoration: the same is always said in words.
 * @param {string} id
 */
export function mark(id) {
  const svg = makeSvg("svg", { class: "mark", "aria-hidden": "true" });
  svg.append(makeSvg("use", {}));
  setMark(svg, id);
  return svg;
}

/** @param {SVGElement} svg @param {string} id */
export function setMark(svg, id) {
  const use = /** @type {SVGUseElement} */ (svg.firstElementChild);
  if (use.getAttribute("href") !== `#${id}`) use.setAttribute("href", `#${id}`);
}

/** @param {Element} element without children @param {string} content */
export function setText(element, content) {
  const node = element.firstChild;
  if (!node) {
    if (content) element.textContent = content;
  } else if (node.nodeValue !== content) {
    node.nodeValue = content; // cheaper than a new node
  }
}

/**
 * Put these children first, in this order. Only those out of place move.
 * @param {Element} parent
 * @param {Element[]} children
 */
export function setOrder(parent, children) {
  children.forEach((child, at) => {
    const there = parent.children[at];
    if (there !== child) parent.insertBefore(child, there ?? null);
  });
}

/** @param {HTMLElement} element @param {boolean} hidden */
export function setHidden(element, hidden) {
  if (element.hidden !== hidden) element.hidden = hidden;
}

/** @param {HTMLElement} element @param {string} key @param {string} value */
export function setData(element, key, value) {
  if (element.dataset[key] !== value) element.dataset[key] = value;
}

/**
 * Ignore the second click of a double click that opened a dialog: it would select a text, and take the focus.
 * @param {HTMLDialogElement} dialog
 */
export function ignoreDoubleClicks(dialog) {
  dialog.addEventListener("mousedown", (event) => {
    if (event.detail > 1 && !(event.target instanceof HTMLInputElement)) event.preventDefault();
  });
}

/**
 * Return the element of index.html that has this id.
 * @param {string} id
 */
export function byId(id) {
  return /** @type {HTMLElement} */ (document.getElementById(id));
}
