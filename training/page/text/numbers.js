/** Formats numbers. */

const whole = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 0 });

/** @param {number} value a count */
export const number = (value) => whole.format(value);

/** Five significant digits, as metrics need them. @param {number | null | undefined} value */
export function metric(value) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  if (value !== 0 && (Math.abs(value) < 1e-4 || Math.abs(value) >= 1e7)) return value.toExponential(2);
  const digits = Math.max(0, Math.min(4, 4 - Math.floor(Math.log10(Math.max(1, Math.abs(value))))));
  return value.toFixed(digits);
}

/** @param {number} share 0 to 1 */
export const percent = (share) => `${Math.round(100 * share)}%`;

/** @param {number} count @param {string} one @param {string} [many] */
export const counted = (count, one, many = `${one}s`) => `${number(count)} ${count === 1 ? one : many}`;

/** A duration in s, which the server may send as a text. @param {number | string | null} seconds */
export function duration(seconds) {
  const s = Number(seconds);
  if (seconds === null || !Number.isFinite(s)) return "–";
  if (s < 60) return `${s.toFixed(s < 10 ? 1 : 0)} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${Math.round(s % 60)} s`;
  return `${Math.floor(s / 3600)} h ${Math.round((s % 3600) / 60)} min`;
}
