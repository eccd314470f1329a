/** Texts of the lists. */

import { counted, number, percent } from "./numbers.js";

/** @typedef {{heading: string, lead: string, act: string}} Empty */

export const text = {
  start: {
    name: "Start",
    heading: "Train models on streams",
    lead: "Write a model here, send it data through Kafka, watch it learn, and let it predict what arrives.",
    example: "Try the example",
    exampleLead:
      "One click creates a small model, sends it 1,797 handwritten digits through Kafka, and starts its training. It takes a minute.",
    working: "Sending the digits …",
    running: "Running now",
    steps: "The way to a trained model",
    /** Each step: the route, its name, and what it is. @type {[string, string, string][]} */
    way: [
      ["models", "Models", "Python code that defines a network, in TensorFlow or PyTorch."],
      ["configurations", "Configurations", "Sets of models that are trained on the same data."],
      ["deployments", "Deployments", "Trainings of a configuration: a job for each model, which waits for data."],
      ["datasources", "Data", "What sinks have sent to Kafka. A stream can be sent again to another deployment."],
      ["results", "Results", "How each training goes: curves, the matrix, the trained model."],
      ["inferences", "Inferences", "Trained models that answer what arrives on a topic."],
      ["visualisation", "Visualisation", "Their answers, live."],
    ],
    /** @param {number} count */
    count: (count) => number(count),
  },
  models: {
    name: "Models",
    add: "Add model",
    columns: ["Model", "Framework", "Description", "Changed"],
    empty: {
      heading: "No models yet",
      lead: "A model is a piece of Python code that sets the variable “model”. Write one, or try the example on the start page.",
      act: "Add model",
    },
    train: "Train",
    /** @param {string} name */
    removeTitle: (name) => `Delete model “${name}”?`,
    removeLead: "Its code is lost. Models that a configuration or a result uses cannot be deleted.",
  },
  configurations: {
    name: "Configurations",
    add: "Add configuration",
    columns: ["Configuration", "Models", "Description", "Deployments"],
    empty: {
      heading: "No configurations yet",
      lead: "A configuration is a set of models that are trained together, on the same data. Add models first, then put them together here.",
      act: "Add configuration",
    },
    train: "Train",
    /** @param {number} count */
    deployments: (count) => number(count),
    /** @param {string} name */
    removeTitle: (name) => `Delete configuration “${name}”?`,
    removeLead: "Its models stay. A configuration that has deployments cannot be deleted.",
  },
  deployments: {
    name: "Deployments",
    /** @param {string} configuration */
    nameOf: (configuration) => `Deployments of “${configuration}”`,
    add: "Train",
    bring: "Import a trained model",
    columns: ["Deployment", "Configuration", "Results", "Arguments", "Started"],
    empty: {
      heading: "No deployments yet",
      lead: "A deployment trains a configuration: it starts a job for each model, which waits for its data.",
      act: "Train a configuration",
    },
    results: "Results",
    /** @param {number} id */
    title: (id) => `Deployment ${id}`,
    /** @param {number} id */
    removeTitle: (id) => `Delete deployment ${id}?`,
    removeLead: "Only deployments without results can be deleted: delete those first.",
  },
  results: {
    name: "Results",
    /** @param {number} deployment */
    nameOf: (deployment) => `Results of deployment ${deployment}`,
    compare: "Compare two",
    columns: ["Result", "State", "Training", "Validation", "Test", "Changed"],
    empty: {
      heading: "No results yet",
      lead: "Each training has a result: how far it is, its curves, and the trained model at the end.",
      act: "Train a configuration",
    },
    /** @param {{id: number, model: {name: string}}} result */
    title: ({ id, model }) => `${model.name}, result ${id}`,
    predict: "Predict",
    /** @param {string} name */
    stopTitle: (name) => `Stop the training of ${name}?`,
    stopLead: "What it has learned so far is lost.",
    /** @param {string} name */
    removeTitle: (name) => `Delete ${name}?`,
    removeLead: "Its curves, its log and the trained model are lost. Versions in the model store stay.",
  },
  datasources: {
    name: "Data",
    columns: ["Data", "Deployment", "Format", "Messages", "Validation, test", "Sent"],
    empty: {
      heading: "No data yet",
      lead: "Sinks send training data to a topic, then say on the control topic where they are; such streams appear here. In Python: RawSink(\"kafka:9092\", \"topic\", deployment=1) of training.client.",
      act: "Try the example",
    },
    again: "Send again",
    train: "Train on it",
    /** @param {string} topic @param {string} description */
    title: (topic, description) => description || topic,
    noDescription: "without description",
    /** @param {number} validation @param {number} test */
    rates: (validation, test) => `${percent(validation)}, ${percent(test)}`,
    againTitle: "Send this stream again",
    againLead:
      "Another deployment then trains on the same messages. Only the control message is sent: the data must still be in Kafka.",
    againTo: "Deployment",
    againNone: "No deployment waits for data: start one first.",
    /** @param {string} deployment */
    sent: (deployment) => `Sent again to deployment ${deployment}`,
  },
  inferences: {
    name: "Inferences",
    columns: ["Inference", "State", "Reads", "Writes", "Replicas", "Started"],
    empty: {
      heading: "No inferences yet",
      lead: "An inference is a trained model that answers each message on a topic with a prediction on another. Choose “Predict” at a finished result.",
      act: "To the results",
    },
    /** @type {Record<string, string>} */
    states: { starting: "Starting", ready: "Ready", "not-ready": "Not ready", stopped: "Stopped" },
    /** @param {{answered?: number, skipped?: number, waiting?: number | null}} progress */
    progress: ({ answered = 0, skipped = 0, waiting = 0 }) =>
      [
        counted(answered, "answer"),
        ...(waiting ? [`${number(waiting)} waiting`] : []),
        ...(skipped ? [`${number(skipped)} skipped`] : []),
      ].join(", "),
    /** @param {number} id */
    title: (id) => `Inference ${id}`,
    /** @param {number | null} result */
    of: (result) => (result === null ? "" : `of result ${result}`),
    watch: "Watch",
    /** @param {number} id */
    stopTitle: (id) => `Stop inference ${id}?`,
    stopLead: "Messages that come later are no longer answered.",
    /** @param {number} id */
    removeTitle: (id) => `Delete inference ${id}?`,
    removeLead: "Its settings are lost. What it has predicted stays in Kafka.",
  },
  /** @param {number} count */
  models_: (count) => counted(count, "model"),
};
