/** The server's answer as rows of tables, in words. */

import { text } from "./text.js";

/** @typedef {import("./types.js").Camera} Camera */
/** @typedef {import("./types.js").ModelServer} ModelServer */
/** @typedef {import("./types.js").Process} Process */
/** @typedef {import("./types.js").Row} Row */
/** @typedef {import("./types.js").Service} Service */

/** The colours of processes' states are those of cameras. @type {Record<string, string>} */
const TONES = { ready: "live", "not-ready": "stale", silent: "no-signal", stopped: "away" };

/** The states of processes that have ended, as far as is known. */
const ENDED = ["stopped", "silent"];

/** The services without which no frame is shown. */
const STAGES = ["producer", "consumer", "video"];

/** A row for each service, followed by those of its processes. @param {Service[]} services @returns {Row[]} */
export const serviceRows = (services) =>
  services.flatMap((service) => [
    serviceRow(service),
    ...(service.processes ?? []).map((process) => processRow(service.service, process)),
  ]);

/** @param {Service} service @returns {Row} */
function serviceRow({ service, replicas, states, in_per_s, out_per_s, age_ms, dropped, why }) {
  const worst = states.silent ? "silent" : states["not-ready"] ? "not-ready" : "ready";
  const missing = replicas === 0 && STAGES.includes(service);
  return {
    key: service,
    kind: "service",
    name: text.service(service),
    state: text.replicas(states),
    tone: missing ? "no-signal" : replicas === 0 ? "away" : TONES[worst],
    figures: [text.rate(in_per_s), text.rate(out_per_s), text.age(age_ms)],
    dropped: text.dropped(dropped),
    note: text.note([why]),
  };
}

/** @param {string} service @param {Process} process @returns {Row} */
function processRow(service, { instance, state, reason, in_per_s, out_per_s, age_ms, dropped, why }) {
  return {
    key: `${service}/${instance}`,
    kind: "process",
    name: instance,
    state: text.process(state),
    tone: TONES[state] ?? "away",
    figures: [text.rate(in_per_s), text.rate(out_per_s), text.age(age_ms)],
    dropped: text.dropped(dropped),
    note: text.note([reason, ENDED.includes(state) ? null : why]), // that it has ended says why
  };
}

/** @param {ModelServer[]} servers @returns {Row[]} */
export const modelServerRows = (servers) =>
  servers.map(({ model, server, consumers, state, reason, requests_per_s, frames_per_s, answer_ms, age_ms, failed, why }) => ({
    key: `${model}@${server ?? ""}`,
    kind: "model",
    name: server ? `${server}: ${model}` : model,
    state: text.process(state),
    tone: TONES[state],
    figures: [`${consumers}`, text.rate(requests_per_s), text.rate(frames_per_s), text.age(answer_ms), text.age(age_ms)],
    dropped: text.dropped(failed),
    note: text.note([reason, why]),
  }));

/** @param {(number | null)[]} rates */
const isUnknown = (...rates) => rates.every((rate) => rate === null);

/** @param {Camera[]} cameras @returns {Row[]} */
export const cameraRows = (cameras) =>
  cameras.map(({ name, state, reason, captured, labelled, shown, age_ms, dropped, why }) => ({
    key: name,
    kind: "camera",
    name,
    state: text.camera(state),
    tone: state,
    figures: [text.rate(captured), text.rate(labelled), text.rate(shown), text.age(age_ms)],
    dropped: text.dropped(dropped),
    // If no frame of it is known anywhere, the reason says why.
    note: text.note([reason, ...(reason && isUnknown(captured, labelled, shown) ? [] : Object.values(why))]),
  }));
