import assert from "node:assert/strict";
import { test } from "node:test";

import { cameraOf, eventsOf, labelsOf, loginTo, snapshotOf, streamOf, viewOf } from "../../../video/page/addresses.js";

const PAGE = "https://host/under/a/path/?camera=door";
const NAMES = ["door", "a/b", "../x", "<b>né & co</b>/“yard”", "a b?c#d", "🦊 den", "100 %"];

test("any name becomes a single path segment below the page's own", () => {
  for (const name of NAMES) {
    const stream = new URL(streamOf(name) ?? "", PAGE);
    const snapshot = new URL(snapshotOf(name), PAGE);

    assert.equal(decodeURIComponent(stream.pathname), `/under/a/path/stream/${name}`);
    assert.equal(decodeURIComponent(snapshot.pathname), `/under/a/path/snapshot/${name}.jpg`);
    assert.equal(stream.search + stream.hash + snapshot.search + snapshot.hash, "");
  }
});

test("a camera's record has one path segment below the page's own", () => {
  for (const name of NAMES) {
    const { pathname, search, hash } = new URL(cameraOf(name), PAGE);
    assert.equal(decodeURIComponent(pathname) + search + hash, `/under/a/path/api/cameras/${name}`);
  }
});

test("a name that cannot be part of an address has no stream", () => {
  assert.deepEqual([".", "..", "...", ".a"].map(streamOf), [null, null, "stream/...", "stream/.a"]);
});

test("any name survives in a query", () => {
  for (const name of NAMES) {
    for (const address of [viewOf(name), labelsOf(name, 50), eventsOf(name)]) {
      assert.equal(new URL(address, PAGE).searchParams.get("camera"), name);
    }
  }
});

test("the address of the labels contains the limit", () => {
  assert.equal(new URL(labelsOf("door", 50), PAGE).searchParams.get("limit"), "50");
});

test("the login leads back to the previous page", () => {
  const login = new URL(loginTo("/under/a/path/?camera=a%2Fb"), PAGE);

  assert.equal(login.pathname, "/under/a/path/login");
  assert.equal(login.searchParams.get("next"), "/under/a/path/?camera=a%2Fb");
});
