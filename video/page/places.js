/** Where the user has put the cameras, and which groups are collapsed: remembered on this device. */

import { readStored, store } from "./stored.js";

const MOST = 2000; // names kept, also of cameras that are away

/**
 * Cameras under a heading; the name is empty for those without a group.
 * @typedef {{group: string, names: string[], collapsed: boolean}} Section
 */

export class Places {
  /** Names in the user's order. A camera that vanishes keeps its place. @type {string[]} */
  #order = textsOf("order");
  #collapsed = new Set(textsOf("collapsed"));
  /** As they are shown. @type {Section[]} */
  sections = [];

  /** The number of cameras that each section shows. */
  get sizes() {
    return this.sections.map(({ names, collapsed }) => (collapsed ? 0 : names.length));
  }

  /** The names of all cameras in the same section, in order. @param {string} name */
  around(name) {
    return this.sections.find(({ names }) => names.includes(name))?.names ?? [];
  }

  /** Return a camera's place in its section, from 1, and the number of places. @param {string} name */
  placeOf(name) {
    const names = this.around(name);
    return { at: names.indexOf(name) + 1, of: names.length };
  }

  /**
   * Divide cameras into groups in alphabetical order, with the others at the end.
   * @param {Map<string, string>} groups camera → group, in the server's order
   * @returns {Section[]} one without a name if there are no groups
   */
  arrange(groups) {
    /** @type {Map<string, Section>} */
    const sections = new Map();
    for (const name of inOrder([...groups.keys()], this.#order)) {
      const group = groups.get(name) ?? "";
      const section = sections.get(group) ?? { group, names: [], collapsed: this.#collapsed.has(group) };
      section.names.push(name);
      sections.set(group, section);
    }
    const all = [...sections.values()].sort((one, other) => compare(one.group, other.group));
    if (all.length === 1 && all[0].group === "") all[0].collapsed = false; // it has no heading
    this.sections = all;
    return all;
  }

  /** Put a camera at another one's place. @param {string} name @param {string} target @param {boolean} after */
  put(name, target, after) {
    const others = this.around(name).filter((each) => each !== name);
    const next = after ? (others[others.indexOf(target) + 1] ?? null) : target;
    const names = this.sections.flatMap((section) => section.names);
    this.#order = moved(merged(this.#order, names), name, next).slice(0, MOST);
    store("order", this.#order);
  }

  /** Collapse or expand a section. @param {string} group */
  toggle(group) {
    if (!this.#collapsed.delete(group)) this.#collapsed.add(group);
    store("collapsed", [...this.#collapsed].slice(-MOST));
  }
}

/**
 * Return the names in this order; those that are not in it follow.
 * @param {string[]} names
 * @param {string[]} order
 */
export function inOrder(names, order) {
  const present = new Set(names);
  return [...new Set([...order.filter((name) => present.has(name)), ...names])];
}

/**
 * Return an order in which these names follow each other as given, and all others keep their places.
 * @param {string[]} order
 * @param {string[]} names
 */
export function merged(order, names) {
  const present = new Set(names);
  const left = [...names];
  const places = order.map((name) => (present.has(name) ? /** @type {string} */ (left.shift()) : name));
  return [...places, ...left];
}

/**
 * @param {string[]} order
 * @param {string} name
 * @param {string | null} next before which it is put; null: at the end
 */
export function moved(order, name, next) {
  const others = order.filter((each) => each !== name);
  const at = next === null ? -1 : others.indexOf(next);
  others.splice(at < 0 ? others.length : at, 0, name);
  return others;
}

/** @param {string} one @param {string} other */
function compare(one, other) {
  if (one === "" || other === "") return Number(one === "") - Number(other === "");
  return one.localeCompare(other, undefined, { numeric: true, sensitivity: "base" }) || (one < other ? -1 : 1);
}

/** @param {string} name @returns {string[]} what was stored, if it is a list of texts */
function textsOf(name) {
  const stored = readStored(name);
  return Array.isArray(stored) ? [...new Set(stored.filter((each) => typeof each === "string"))].slice(0, MOST) : [];
}
