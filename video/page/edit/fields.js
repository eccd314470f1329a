/** A camera's record as the fields of the form, and back. */

/**
 * A camera's record as the server describes it: durations in seconds or as texts, and the link masked.
 * @typedef {object} Config
 * @property {string} [link]
 * @property {string} [group]
 * @property {number | string | null} [interval]
 * @property {number | number[]} [scale]
 * @property {number} [rotate]
 * @property {string[] | null} [models] null: all
 * @property {number} [weight]
 * @property {number | string | null} [deadline]
 * @property {boolean} [paused]
 */

/**
 * The form's fields as texts, and the models.
 * @typedef {object} Values
 * @property {string} name
 * @property {string} link empty: the present one
 * @property {string} group
 * @property {string} interval
 * @property {string} scale
 * @property {string} rotate
 * @property {string} weight
 * @property {string} deadline
 * @property {string[] | null} models null: all
 */

/** @typedef {keyof Values} Name */

/** @type {Name[]} */
export const NAMES = ["name", "link", "group", "models", "interval", "scale", "rotate", "weight", "deadline"];

const NUMBER = /^\d*\.?\d+$/;

/**
 * Return what the form shows at first. The link is left out: it is masked.
 * @param {string} name
 * @param {Config} config
 * @returns {Values}
 */
export function valuesOf(name, { group, interval, scale, rotate, models, weight, deadline }) {
  return {
    name,
    link: "",
    group: group ?? "",
    interval: durationOf(interval),
    scale: scaleOf(scale),
    rotate: String(rotate ?? 0),
    weight: weight === undefined || weight === 1 ? "" : String(weight),
    deadline: durationOf(deadline),
    models: models ?? null,
  };
}

/** What a field is set to when it is emptied. @type {Record<string, unknown>} */
const DEFAULTS = { group: "", interval: null, scale: 1, rotate: 0, models: null, weight: 1, deadline: null };

/**
 * Return the record to send, without the fields that have their defaults. What cannot be understood is sent as it
 * is: the server says what it expects.
 * @param {Values} values
 * @returns {Record<string, unknown>}
 */
export function recordOf({ link, group, interval, scale, rotate, models, weight, deadline }) {
  const fields = {
    link: link.trim(),
    group: group.trim(),
    interval: interval.trim(),
    scale: factorsOf(scale),
    rotate: rotate === "0" ? "" : Number(rotate),
    models: models ?? "",
    weight: numberOf(weight),
    deadline: deadline.trim(),
  };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== ""));
}

/**
 * Return what was changed in the form. The rest is not sent: someone else may have changed it meanwhile.
 * @param {Config} config the record that the form showed at first
 * @param {Values} values
 */
export function changesOf(config, values) {
  const before = recordOf(valuesOf("", config));
  const now = recordOf(values);
  const changed = Object.keys({ ...DEFAULTS, ...now }).filter((name) => !isSame(before[name], now[name]));
  return Object.fromEntries(changed.map((name) => [name, now[name] ?? DEFAULTS[name]]));
}

/** @param {unknown} one @param {unknown} other */
const isSame = (one, other) => JSON.stringify(one) === JSON.stringify(other);

/**
 * Return the field that an error is about, from words such as `link: expected a URL` or `name='x': expected`.
 * @param {string} why
 * @returns {Name | null}
 */
export function fieldOf(why) {
  const first = /^[a-z]+(?=[:=. ])/.exec(why)?.[0];
  return NAMES.find((name) => name === first) ?? null;
}

/** @param {number | string | null | undefined} duration in s */
function durationOf(duration) {
  if (duration === null || duration === undefined) return "";
  if (typeof duration === "string") return duration;
  const ms = Math.round(duration * 1e6) / 1000;
  return ms < 1000 ? `${ms}ms` : `${ms / 1000}s`;
}

/** @param {number | number[] | undefined} scale */
function scaleOf(scale = 1) {
  const [x, y] = Array.isArray(scale) ? scale : [scale, scale];
  if (x === 1 && y === 1) return "";
  return x === y ? String(x) : `${x} × ${y}`;
}

/** @param {string} text one factor, or two */
function factorsOf(text) {
  const parts = text.split(/[\s,;×x*]+/).filter((part) => part !== "");
  if (!parts.length || parts.length > 2 || !parts.every((part) => NUMBER.test(part))) return text.trim();
  return parts.length === 1 ? Number(parts[0]) : parts.map(Number);
}

/** @param {string} text */
const numberOf = (text) => (NUMBER.test(text.trim()) ? Number(text) : text.trim());
