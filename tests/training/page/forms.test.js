import assert from "node:assert/strict";
import { test } from "node:test";

import { sentOf, topicOf } from "../../../training/page/fields.js";
import { fieldOf, placeOf, shortOf } from "../../../training/page/parts/complaint.js";
import { classNamesOf, formatOf, nameOf, jsonOf, placesOf } from "../../../training/page/streams.js";

const NAMES = ["name", "batch", "tf_kwargs_fit", "models", "file", "input_config"];

test("an error is about the field that it begins with", () => {
  assert.equal(fieldOf("name: there is a model digits already", NAMES), "name");
  assert.equal(fieldOf("batch='x': expected a whole number", NAMES), "batch");
  assert.equal(fieldOf("Deployment not valid: batch: required", NAMES), "batch");
  assert.equal(fieldOf("input_config: expected a JSON object", NAMES), "input_config");
});

test("a field may have another name in the API", () => {
  assert.equal(fieldOf("ml_models: there is no model 3", NAMES), "models");
  assert.equal(fieldOf("trained_model: expected a Keras file", NAMES), "file");
});

test("other errors are about no field", () => {
  for (const why of ["", "the disk is full", "result 3 is being trained", "father: expected a model", "names=3: no"]) {
    assert.equal(fieldOf(why, NAMES), null);
  }
});

test("at its field, an error needs neither the API's name of the field nor the value", () => {
  const labels = { name: "Name", input_topic: "Input topic", output_topic: "Output topic" };

  assert.equal(shortOf("name='': expected at least one character", labels), "expected at least one character");
  assert.equal(shortOf(String.raw`name='a/\'b: c': expected a name`, labels), "expected a name");
  assert.equal(shortOf('name="it\'s": expected a name', labels), "expected a name");
  assert.equal(shortOf("Deployment not valid: batch: required, but missing", labels), "required, but missing");
  assert.equal(shortOf("name: there is a model digits already", labels), "there is a model digits already");
  assert.equal(
    shortOf("output_topic: expected another topic than input_topic, not learning_rate", labels),
    "expected another topic than “Input topic”, not learning_rate",
  );
});

test("an error of the code has its text and its line", () => {
  const why = "Information not valid: line 3 of the code: NameError: name 'x' is not defined";

  assert.deepEqual(placeOf(why), { text: "code", line: 3 });
  assert.deepEqual(placeOf("Information not valid: line 1 of the imports: SyntaxError"), { text: "imports", line: 1 });
});

test("an error of the code may have no line", () => {
  assert.deepEqual(placeOf("Information not valid: the code: expected it to set the variable `model`"), { text: "code", line: null });
  assert.equal(placeOf("name: there is a model the code already"), null);
});

test("empty fields are not sent, but check boxes are", () => {
  const values = { batch: " 32 ", seed: "", conf_mat_settings: "true", autoserve: "", configuration: "x" };

  assert.deepEqual(sentOf(values, ["conf_mat_settings", "autoserve"]), {
    batch: "32",
    conf_mat_settings: true,
    autoserve: false,
    configuration: "x",
  });
});

test("a model's name becomes a part of a topic's", () => {
  assert.equal(topicOf("digits example"), "digits-example");
  assert.equal(topicOf("übung 2."), "bung-2");
  assert.equal(topicOf("…"), "model");
});

test("a stream's topics are named once each", () => {
  assert.deepEqual(placesOf("digits:0:0:900,digits:1:0:897,more:0:1:2"), ["digits", "more"]);
  assert.deepEqual(placesOf("online"), ["online"]);
});

test("a stream is named by its description, or by its topic", () => {
  assert.equal(nameOf({ description: "lungs", topic: "a:0:0:1" }), "lungs");
  assert.equal(nameOf({ description: "", topic: "a:0:0:1" }), "a");
});

test("its format is told in a few words, whatever it holds", () => {
  assert.equal(formatOf({ input_config: '{"data_type": "uint8", "data_reshape": "8 8"}' }), "uint8 of 8 8");
  assert.equal(formatOf({ input_config: '{"labels": ["day", "night"]}' }), "day, night");
  for (const input_config of ["", "[", "3", "null", "{}"]) assert.equal(formatOf({ input_config }), "");
  assert.deepEqual(jsonOf('{"a": 1}'), { a: 1 });
});

test("classes have the names that the newest data of their deployment give them, if there is one for each", () => {
  const row = (/** @type {string} */ deployment, /** @type {object} */ config) => ({ deployment, input_config: JSON.stringify(config) });
  const rows = /** @type {any[]} */ ([row("1", { labels: ["cat", "dog"] }), row("1", { labels: ["old", "older"] }), row("2", { labels: ["a", "b"] })]);

  assert.deepEqual(classNamesOf(rows, 1, 2), ["cat", "dog"]);
  assert.deepEqual(classNamesOf(rows, 1, 3), []);
  assert.deepEqual(classNamesOf([...rows, { deployment: "3", input_config: "no JSON" }], 3, 2), []);
});
