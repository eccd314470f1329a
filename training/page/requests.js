/** Requests to the API, and uploads. */

import { text } from "./text/common.js";

/**
 * An answer: what the server sent, or why it refused, in one line. The status is 0 if it does not answer.
 * @template [Body=any]
 * @typedef {{ok: true, body: Body} | {ok: false, status: number, why: string}} Answer
 */

const AWAY = [502, 503, 504]; // of a proxy that does not reach the server
const PATIENCE = 15_000; // ms for reading

/** @param {string} path @returns {Promise<Answer>} */
export const get = (path) => send("GET", path);

/** Longer than reading: code is checked first. @param {string} path @param {object} [content] @returns {Promise<Answer>} */
export const post = (path, content) => send("POST", path, content);

/** @param {string} path @param {object} content @returns {Promise<Answer>} */
export const put = (path, content) => send("PUT", path, content);

/** @param {string} path @returns {Promise<Answer>} */
export const remove = (path) => send("DELETE", path);

/**
 * Return all answers under the names of the questions, or the first refusal.
 * @template {Record<string, Promise<Answer>>} Questions
 * @param {Questions} questions
 * @returns {Promise<Answer<{[Name in keyof Questions]: any}>>}
 */
export async function all(questions) {
  const names = Object.keys(questions);
  const answers = await Promise.all(Object.values(questions));
  for (const answer of answers) if (!answer.ok) return answer;
  const bodies = answers.map((answer) => (answer.ok ? answer.body : null));
  return { ok: true, body: /** @type {any} */ (Object.fromEntries(names.map((name, at) => [name, bodies[at]]))) };
}

/**
 * @param {string} method
 * @param {string} path
 * @param {object} [content]
 * @returns {Promise<Answer>}
 */
async function send(method, path, content) {
  /** @type {RequestInit} */
  const options = { method, cache: "no-store" };
  if (method === "GET") options.signal = AbortSignal.timeout(PATIENCE);
  if (content) {
    options.body = JSON.stringify(content);
    options.headers = { "Content-Type": "application/json" };
  }
  const answer = await fetch(path, options).catch(() => null);
  if (!answer) return { ok: false, status: 0, why: text.noAnswer };
  const body = await answer.json().catch(() => null); // a proxy's error may be a page
  return answer.ok ? { ok: true, body } : refused(answer.status, body);
}

/**
 * Send a form with a file.
 * @param {string} path
 * @param {FormData} form
 * @param {(share: number) => void} progress 0 to 1
 * @returns {Promise<Answer>}
 */
export function upload(path, form, progress) {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest(); // fetch does not report how much it has sent
    request.upload.addEventListener("progress", ({ loaded, total }) => progress(total ? loaded / total : 0));
    request.upload.addEventListener("load", () => progress(1));
    request.addEventListener("error", () => resolve({ ok: false, status: 0, why: text.noAnswer }));
    request.addEventListener("load", () => {
      const body = parsed(request.responseText);
      const isOk = request.status >= 200 && request.status < 300;
      resolve(isOk ? { ok: true, body } : refused(request.status, body));
    });
    request.open("POST", path);
    request.send(form);
  });
}

/**
 * A refusal is a JSON text, or an object with `detail`.
 * @param {number} status
 * @param {any} body
 * @returns {Answer}
 */
export function refused(status, body) {
  const why = typeof body === "string" ? body : body?.detail;
  if (typeof why === "string" && why) return { ok: false, status, why };
  return AWAY.includes(status) ? { ok: false, status: 0, why: text.noAnswer } : { ok: false, status, why: text.refused(status) };
}

/** @param {string} words */
function parsed(words) {
  try {
    return JSON.parse(words);
  } catch {
    return null;
  }
}
