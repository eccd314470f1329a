/** Formats numbers. */

const format = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 0 });

/** @param {number} value a count */
export const number = (value) => format.format(value);

/** Five significant digits, as metrics need them. @param {number | null | undefined} value */
export function metric(value) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  if (value !== 0 && (Math.abs(value) < 1e-4 || Math.abs(value) >= 1e7)) return exponential(value, 2);
  const digits = Math.max(0, Math.min(4, 4 - Math.floor(Math.log10(Math.max(1, Math.abs(value))))));
  return value.toFixed(digits);
}

/** A number beside an axis: at most eight characters. @param {number} value */
export function tick(value) {
  const size = Math.abs(value);
  return size >= 1e6 || (size !== 0 && size < 1e-3) ? exponential(value, 1).replace("+", "") : String(Number(value.toPrecision(4)));
}

/** With a real minus: at a hyphen, lines are broken. @param {number} value @param {number} digits */
const exponential = (value, digits) => value.toExponential(digits).replaceAll("-", "−");

/** @param {number} share 0 to 1 */
export const percent = (share) => `${Math.round(100 * share)}%`;

/** @param {number} count @param {string} one @param {string} [many] */
export const counted = (count, one, many = `${one}s`) => `${number(count)} ${count === 1 ? one : many}`;

/** A duration in s, which the server may send as a text. @param {number | string | null} seconds */
export function duration(seconds) {
  const s = Number(seconds);
  if (seconds === null || !Number.isFinite(s)) return "–";
  const [whole, minutes] = [Math.round(s), Math.round(s / 60)];
  if (whole < 60) return `${s.toFixed(s < 9.95 ? 1 : 0)} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
