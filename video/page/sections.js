/** The headings of the groups on the wall. */

import { make, makeForeign, mark, setData, setText } from "./dom.js";
import { text } from "./text.js";

/** @typedef {import("./places.js").Section} Section */

/** One heading, which collapses its group. */
class Heading {
  element = make("li", "group");
  button = make("button", "group-button");
  #name = makeForeign("span", "group-name");
  #count = make("span", "group-count");

  /** @param {() => void} toggle */
  constructor(toggle) {
    const heading = make("h2", "group-heading");
    this.button.type = "button";
    this.button.append(mark("arrow-down"), this.#name, " ", this.#count);
    this.button.addEventListener("click", toggle);
    heading.append(this.button);
    this.element.append(heading);
  }

  /** @param {Section} section */
  update({ group, names, collapsed }) {
    setText(this.#name, group || text.noGroup);
    setText(this.#count, text.inGroup(names.length));
    this.button.setAttribute("aria-expanded", String(!collapsed));
    setData(this.element, "collapsed", String(collapsed));
  }
}

export class Headings {
  /** By group. @type {Map<string, Heading>} */
  #headings = new Map();
  #toggle;

  /** @param {(group: string) => void} toggle called when the user collapses or expands a group */
  constructor(toggle) {
    this.#toggle = toggle;
  }

  /**
   * Return the heading of each section; none if no camera has a group.
   * @param {Section[]} sections
   * @returns {(HTMLElement | null)[]}
   */
  update(sections) {
    const needed = sections.some(({ group }) => group !== "");
    const groups = new Set(needed ? sections.map(({ group }) => group) : []);
    for (const [group, { element }] of this.#headings) {
      if (groups.has(group)) continue;
      element.remove();
      this.#headings.delete(group);
    }
    return sections.map((section) => (needed ? this.#headingOf(section) : null));
  }

  /** @param {Section} section */
  #headingOf(section) {
    const { group } = section;
    const heading = this.#headings.get(group) ?? new Heading(() => this.#toggle(group));
    this.#headings.set(group, heading);
    heading.update(section);
    return heading.element;
  }
}
