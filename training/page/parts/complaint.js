/** Finds out which field, and which line of the code, an error of the server is about. */

const FIELD = /^(?:[A-Z][^:]*: )?([A-Za-z_]+)(?=[:=])/;
const BEGIN = /^(?:[A-Z][^:]*: )?[A-Za-z_]+(?:=(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"))?: /;
const LINE = /\bline (\d+) of the (imports|code)\b/;
const TEXT = /\bthe (imports|code)\b/;

/** The fields that the API names otherwise than the form. @type {Record<string, string>} */
const OTHERS = { ml_models: "models", trained_model: "file", input_config: "config", input_format: "format" };

/**
 * Return the name of the field that an error is about, from words such as `name='x': expected` or
 * `batch: required`; null if it names none of these.
 * @param {string} why
 * @param {string[]} names
 */
export function fieldOf(why, names) {
  const found = FIELD.exec(why)?.[1] ?? "";
  const name = names.includes(found) ? found : OTHERS[found];
  return name !== undefined && names.includes(name) ? name : null;
}

/**
 * Return what is wrong in the words of the page, for the field that it is about: without the API's name of that field
 * and its value, and with the labels of other fields.
 * @param {string} why
 * @param {Record<string, string>} labels by the API's names
 */
export function shortOf(why, labels) {
  const names = Object.keys(labels).filter((name) => name.includes("_")); // others may be common words
  return why.replace(BEGIN, "").replace(/\b[a-z]+(?:_[a-z]+)+\b/g, (name) => (names.includes(name) ? `“${labels[name]}”` : name));
}

/**
 * Return the text and the line of a model that an error is about; the line is null if only the text is known.
 * @param {string} why
 * @returns {{text: "imports" | "code", line: number | null} | null}
 */
export function placeOf(why) {
  const line = LINE.exec(why);
  if (line) return { text: /** @type {"imports" | "code"} */ (line[2]), line: Number(line[1]) };
  const text = TEXT.exec(why);
  return text && why.startsWith("Information not valid") ? { text: /** @type {"imports" | "code"} */ (text[1]), line: null } : null;
}
