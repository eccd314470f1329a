/** Texts of a result, of the comparison, and of the visualisation. */

import { metric, percent } from "./numbers.js";

export const text = {
  result: {
    /** @param {number} id */
    name: (id) => `Result ${id}`,
    /** @param {number} id */
    missing: (id) => ({
      heading: `There is no result ${id}`,
      lead: "It may have been deleted.",
      act: "All results",
    }),
    all: "All results",
    progress: "Progress",
    reason: "Why it failed",
    /** For results that are finished: the model is there, but was not exported. */
    trouble: "The model is trained, but",
    curves: "Curves",
    noCurves: "They appear after the first epoch.",
    metrics: "Metrics",
    metricColumns: ["Metric", "Training", "Best", "Validation", "Best", "Test"],
    matrix: "Confusion matrix",
    matrixLead: "Rows: the labels. Columns: what the model says. The stronger the colour, the more of the label’s samples.",
    /** @param {number} count */
    matrixLarge: (count) => `It has ${count} classes, too many for this page.`,
    matrixFile: "As a picture",
    /** @param {string} label @param {string} said @param {number} count @param {number} share */
    matrixCell: (label, said, count, share) => `${count} of label ${label} taken for ${said}, ${percent(share)}`,
    versions: "Versions",
    versionsLead: "All versions of this model, for TensorFlow Serving, which serves the one that you promote.",
    ownVersion: "Of this result",
    versionColumns: ["Version", "State", "Result", "Created", "Promoted"],
    /** @param {number} version */
    version: (version) => `Version ${version}`,
    versionStates: { candidate: "Candidate", served: "Served", old: "Old" },
    promote: "Promote",
    /** @param {number} version @param {string} model */
    promoteTitle: (version, model) => `Promote version ${version} of “${model}”?`,
    promoteLead: "Model servers load it, and answer with it from then on.",
    /** @param {number} version @param {string} model */
    removeTitle: (version, model) => `Delete version ${version} of “${model}”?`,
    removeLead: "Its files are lost. The result and its trained model stay.",
    log: "Log of the job",
    noLog: "It has written nothing yet.",
    facts: "About this training",
    deployment: "Deployment",
    model: "Model",
    time: "Training time",
    seed: "Seed",
    changed: "Last change",
    started: "Started",
    download: "Download the model",
    chart: "Curves as JSON",
    compare: "Compare",
    predict: "Predict",
    /** @param {string} name @param {(number | null)[]} values */
    chartWords: (name, values) =>
      `${name} over ${values.length} ${values.length === 1 ? "epoch" : "epochs"}, now ${metric(values[values.length - 1])}`,
    training: "Training",
    validation: "Validation",
    epoch: "Epoch",
  },
  compare: {
    name: "Compare results",
    first: "First result",
    second: "Second result",
    choose: "Choose …",
    lead: "Choose two results to see their curves and settings side by side.",
    columns: ["", "First", "Second"],
    metrics: "Metrics",
    settings: "Settings that differ",
    same: "All their settings are the same.",
    /** @param {string} name @param {string} part */
    metricOf: (name, part) => `${name}, ${part}`,
    training: "training",
    validation: "validation",
    test: "test",
    time: "Training time",
    state: "State",
    noCurves: "Neither has curves yet.",
  },
  visual: {
    name: "Visualisation",
    lead: "Shows predictions as they arrive on an output topic.",
    topic: "Topic",
    topicHint: "The output topic of an inference",
    kind: "Predictions are",
    kinds: { classification: "Classes", regression: "Numbers" },
    config: "Labels and colours",
    configHint:
      "Kafka-ML’s JSON: type, average_updated, average_window, and labels with id, color and label. Empty: the numbers of the classes",
    start: "Show",
    stop: "Stop",
    connecting: "Connecting …",
    waiting: "Connected. Predictions appear here as they arrive.",
    noWriter: "Connected, but no inference that runs writes to this topic.",
    noTopic: "Enter a topic",
    badTopic: "Expected the name of a topic: letters, digits, “.”, “_” and “-”",
    lost: "The connection was lost; retrying",
    /** @param {string} why */
    refused: (why) => `The server has ended it: ${why}`,
    now: "Newest prediction",
    /** With average_updated. */
    most: "Most frequent class",
    before: "Before",
    /** @param {number} count */
    beforeLead: (count) => `The ${count} before it, the newest first`,
    /** @param {number} count */
    rowLead: (count) => `The last ${count} predictions, the newest first`,
    shares: "Shares",
    sharesLead: "Of all predictions since this page shows them",
    /** @param {number} count */
    count: (count) => `${count} ${count === 1 ? "prediction" : "predictions"}`,
    values: "Values",
    valuesLead: "The newest are on the right",
    newest: "Newest values",
    /** @param {number} id */
    unknown: (id) => String(id),
    /** @param {number} at */
    value: (at) => `Value ${at + 1}`,
    badConfig: "config: expected JSON such as {\"type\": \"classification\", \"labels\": [{\"id\": 0, \"color\": \"#4f8a82\", \"label\": \"zero\"}]}",
    /** @param {string} what */
    badPart: (what) => `config: ${what}`,
    send: "Send ten digits",
    sending: "Sending …",
    sent: "Digits of the example",
    sentLead: "Below each digit: what it is, and what the model takes it for.",
    /** @param {number} label @param {number | null} said */
    digit: (label, said) =>
      `A handwritten ${label}, ${said === null ? "without a prediction yet" : `taken for ${said}: ${said === label ? "right" : "wrong"}`}`,
    notSaid: "…",
    /** @param {number} label @param {number} said */
    said: (label, said) => `${said === label ? "✓" : "✗"} ${said}`,
    /** @param {number} count @param {number} answered @param {number} right */
    summary: (count, answered, right) =>
      answered < count ? "Waiting for the predictions …" : `${right} of ${count} are right`,
  },
};
