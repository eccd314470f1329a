import assert from "node:assert/strict";
import { test } from "node:test";

import { cameraRows, modelServerRows, serviceRows } from "../../../video/page/status/rows.js";
import { text } from "../../../video/page/status/text.js";

const FIGURES = {
  in_per_s: 25,
  out_per_s: 12.34,
  age_ms: 41,
  dropped: [
    { reason: "late", count: 3, per_s: 0 },
    { reason: "replaced", count: 1300, per_s: 12.5 },
  ],
  why: null,
};
const UNKNOWN = { in_per_s: null, out_per_s: null, age_ms: null, dropped: [] };

/** @type {import("../../../video/page/status/types.js").Process} */
const PROCESS = { instance: "host-1", state: "ready", reason: null, since: "2026-11-21T19:46:47Z", ...FIGURES };

/** @type {import("../../../video/page/status/types.js").Service} */
const SERVICE = { service: "consumer", replicas: 1, states: { ready: 1 }, processes: [PROCESS], ...FIGURES };

/** @type {import("../../../video/page/status/types.js").Camera} */
const CAMERA = {
  name: "door",
  state: "live",
  reason: null,
  captured: 25,
  labelled: 12.5,
  shown: 0.04,
  age_ms: 1200,
  dropped: [{ service: "consumer", reason: "replaced", count: 17, per_s: 0.3 }],
  why: {},
};

test("a service is followed by its processes", () => {
  const rows = serviceRows([SERVICE]);

  assert.deepEqual(rows, [
    {
      key: "consumer",
      kind: "service",
      name: "Consumers",
      state: "1 ready",
      tone: "live",
      figures: ["25.0", "12.3", "41 ms"],
      dropped: "late 3, replaced 1300 (12.5/s)",
      note: "",
    },
    {
      key: "consumer/host-1",
      kind: "process",
      name: "host-1",
      state: "Ready",
      tone: "live",
      figures: ["25.0", "12.3", "41 ms"],
      dropped: "late 3, replaced 1300 (12.5/s)",
      note: "",
    },
  ]);
});

test("a service of which nothing runs stands out, if frames have to pass it", () => {
  const gone = { ...SERVICE, ...UNKNOWN, replicas: 0, states: { stopped: 1 }, processes: null, why: "no consumer reports" };

  const [row] = serviceRows([gone]);
  const [training] = serviceRows([{ ...gone, service: "training", states: {}, why: null }]);

  assert.deepEqual([row.state, row.tone, row.note], ["1 stopped", "no-signal", "No consumer reports"]);
  assert.deepEqual(row.figures, ["–", "–", "–"]);
  assert.deepEqual([training.name, training.state, training.tone], ["Training", "None", "away"]);
});

test("the worst of its processes colours a service", () => {
  /** @type {Record<string, number>[]} */
  const all = [{ ready: 2 }, { ready: 1, stopped: 1 }, { ready: 1, "not-ready": 1 }, { ready: 1, silent: 1 }];
  const tones = all.map(
    (states) => serviceRows([{ ...SERVICE, states, processes: [] }])[0].tone,
  );

  assert.deepEqual(tones, ["live", "live", "stale", "no-signal"]);
});

test("a process says why it is as it is, and why figures are missing", () => {
  const old = { ...PROCESS, ...UNKNOWN, reason: "no partition", why: "it is an older version" };
  assert.equal(serviceRows([{ ...SERVICE, processes: [old] }])[1].note, "No partition; It is an older version");
  const silent = { ...PROCESS, ...UNKNOWN, state: /** @type {const} */ ("silent"), reason: "it was killed", why: "it has stopped" };

  const row = serviceRows([{ ...SERVICE, processes: [silent] }])[1];

  assert.deepEqual([row.state, row.tone, row.note], ["Silent", "no-signal", "It was killed"]);
});

test("a camera has its rates, its age and its drops by service", () => {
  const [row] = cameraRows([CAMERA]);

  assert.deepEqual(row, {
    key: "door",
    kind: "camera",
    name: "door",
    state: "Live",
    tone: "live",
    figures: ["25.0", "12.5", "0.04", "1.2 s"],
    dropped: "consumer: replaced 17 (0.3/s)",
    note: "",
  });
});

/** @type {import("../../../video/page/status/types.js").ModelServer} */
const SERVER = {
  model: "imagenet_1",
  server: "tfserving:8501",
  consumers: 2,
  state: "ready",
  reason: null,
  requests_per_s: 21.34,
  frames_per_s: 38.5,
  answer_ms: 46,
  age_ms: 112,
  failed: [{ reason: "timeout", count: 3, per_s: 0.2 }],
  why: null,
};

test("a model server has its rates, the time of its answers and its failures", () => {
  const [row] = modelServerRows([SERVER]);

  assert.deepEqual(row, {
    key: "imagenet_1@tfserving:8501",
    kind: "model",
    name: "tfserving:8501: imagenet_1",
    state: "Ready",
    tone: "live",
    figures: ["2", "21.3", "38.5", "46 ms", "112 ms"],
    dropped: "timeout 3 (0.2/s)",
    note: "",
  });
});

test("a model server that gives no answers says why", () => {
  const rates = { requests_per_s: 0, frames_per_s: 0, answer_ms: null, age_ms: null };
  const words = { reason: "connection refused", why: "no request was answered in the last ten seconds" };

  const [row] = modelServerRows([{ ...SERVER, ...rates, ...words, server: null, state: "not-ready" }]);

  assert.deepEqual([row.name, row.state, row.tone], ["imagenet_1", "Not ready", "stale"]);
  assert.deepEqual(row.figures, ["2", "0.0", "0.0", "–", "–"]);
  assert.equal(row.note, "Connection refused; No request was answered in the last ten seconds");
});

test("figures that are not known have a dash, and each reason once", () => {
  const why = { captured: "no producer reports", shown: "it is being measured", age_ms: "it is being measured" };
  const camera = { ...CAMERA, captured: null, shown: null, age_ms: null, why, reason: "no producer reports" };

  const [row] = cameraRows([camera]);

  assert.deepEqual(row.figures, ["–", "12.5", "–", "–"]);
  assert.equal(row.note, "No producer reports; It is being measured");
});

test("a camera that no service knows says why only once", () => {
  const why = { captured: "no producer has had a frame of it", shown: "no video server has had a frame of it" };
  const unknown = { ...CAMERA, captured: null, labelled: null, shown: null, age_ms: null, why };

  const rows = cameraRows([{ ...unknown, reason: "its host name is unknown" }, unknown]);

  assert.equal(rows[0].note, "Its host name is unknown");
  assert.equal(rows[1].note, "No producer has had a frame of it; No video server has had a frame of it");
});

test("each service is named once before its drops, in words", () => {
  const words = text.dropped([
    { service: "producer", reason: "not_due", count: 9, per_s: 1.5 },
    { service: "producer", reason: "replaced", count: 3, per_s: 0 },
    { service: "video", reason: "replaced", count: 1, per_s: 0 },
  ]);

  assert.equal(words, "producer: not due 9 (1.5/s), replaced 3; video: replaced 1");
});

test("rates have as many digits as they need", () => {
  const words = [0, 0.04, 0.1, 9.94, 25, 99.94, 123.4, 5000].map(text.rate);

  assert.deepEqual(words, ["0.0", "0.04", "0.1", "9.9", "25.0", "99.9", "123", "5000"]);
});
