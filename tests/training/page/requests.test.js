import assert from "node:assert/strict";
import { afterEach, test } from "node:test";

import { all, get, post, refused } from "../../../training/page/requests.js";

const { fetch } = globalThis;

/** Let the server answer like this; return what it was asked. @param {() => Response} answer */
function server(answer) {
  /** @type {{path: string, method: string, body: unknown}[]} */
  const asked = [];
  globalThis.fetch = async (path, options) => {
    asked.push({ path: String(path), method: options?.method ?? "", body: options?.body && JSON.parse(String(options.body)) });
    return answer();
  };
  return asked;
}

afterEach(() => {
  globalThis.fetch = fetch;
});

test("an answer is what the server sent", async () => {
  const asked = server(() => Response.json([{ id: 1 }]));

  assert.deepEqual(await get("models/"), { ok: true, body: [{ id: 1 }] });
  assert.deepEqual(asked, [{ path: "models/", method: "GET", body: undefined }]);
});

test("a refusal is the server's reason, a JSON text", async () => {
  const asked = server(() => Response.json("name: there is a model digits already", { status: 400 }));

  const answer = await post("models/", { name: "digits" });

  assert.deepEqual(answer, { ok: false, status: 400, why: "name: there is a model digits already" });
  assert.deepEqual(asked, [{ path: "models/", method: "POST", body: { name: "digits" } }]);
});

test("other errors have a detail, and a proxy's may be a page", async () => {
  assert.deepEqual(refused(503, { detail: "the database does not answer" }), { ok: false, status: 503, why: "the database does not answer" });
  server(() => new Response("<h1>Too large</h1>", { status: 413 }));

  const answer = await get("models/");

  assert.ok(!answer.ok);
  assert.equal(answer.status, 413);
  assert.match(answer.why, /413/);
});

test("a server that a proxy does not reach does not answer", async () => {
  for (const status of [502, 503, 504]) {
    server(() => new Response("<h1>Bad gateway</h1>", { status }));

    const answer = await get("models/");

    assert.ok(!answer.ok);
    assert.equal(answer.status, 0);
    assert.match(answer.why, /does not answer/);
  }
});

test("a server that does not answer has the status 0", async () => {
  server(() => {
    throw new TypeError("away");
  });

  const answer = await get("models/");

  assert.ok(!answer.ok);
  assert.equal(answer.status, 0);
});

test("several answers come together, or the first refusal", async () => {
  const yes = (/** @type {unknown} */ body) => Promise.resolve({ ok: /** @type {const} */ (true), body });
  const no = Promise.resolve({ ok: /** @type {const} */ (false), status: 400, why: "no" });

  assert.deepEqual(await all({ a: yes(1), b: yes(2) }), { ok: true, body: { a: 1, b: 2 } });
  assert.deepEqual(await all({ a: yes(1), b: no }), { ok: false, status: 400, why: "no" });
});
