/** What the page asks of the server about cameras as data. */

import { cameraOf, previewOf } from "../addresses.js";
import { text } from "./text.js";

/** @typedef {import("./fields.js").Config} Config */
/** @typedef {import("../live/types.js").Camera} Camera */

/**
 * An answer: what the server sent, or why it refused, in one line.
 * @template [Body=unknown]
 * @typedef {{ok: true, body: Body} | {ok: false, status: number, why: string}} Answer
 */

/** A camera, and its record if the user may change it. @typedef {Camera & {config: Config | null}} Described */

/** @param {string} name @param {object} record @returns {Promise<Answer>} */
export const addCamera = (name, record) => send("POST", "api/cameras", { name, ...record });

/** Change some fields of a camera's record. @param {string} name @param {object} fields @returns {Promise<Answer>} */
export const changeCamera = (name, fields) => send("PATCH", cameraOf(name), fields);

/** @param {string} name @returns {Promise<Answer>} */
export const removeCamera = (name) => send("DELETE", cameraOf(name));

/** @param {string} name @returns {Promise<Answer<Described>>} */
export const readCamera = (name) => send("GET", cameraOf(name));

/** Let a producer capture a camera for a while. @param {object} record @returns {Promise<Answer<{name: string}>>} */
export const startPreview = (record) => send("POST", "api/previews", record);

/** Works also while the page is being closed. @param {string} name @returns {Promise<Answer>} */
export const endPreview = (name) => send("DELETE", previewOf(name));

/**
 * @param {string} method
 * @param {string} path
 * @param {object} [content]
 * @returns {Promise<Answer<any>>}
 */
async function send(method, path, content) {
  /** @type {RequestInit} */
  const options = { method, cache: "no-store", keepalive: method === "DELETE" };
  if (content) {
    options.body = JSON.stringify(content);
    options.headers = { "Content-Type": "application/json" };
  }
  const answer = await fetch(path, options).catch(() => null);
  if (!answer) return { ok: false, status: 0, why: text.noAnswer };
  const body = await answer.json().catch(() => null); // 204 has none, and a proxy's error may be a page
  if (answer.ok) return { ok: true, body };
  const why = typeof body?.detail === "string" ? body.detail : text.refused(answer.status);
  return { ok: false, status: answer.status, why };
}
