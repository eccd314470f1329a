import assert from "node:assert/strict";
import { test } from "node:test";

import { Poll } from "../../../video/page/status/poll.js";

const STATUS = { services: [], cameras: [], notes: [] };

/** A browser in which a test hides the page, and answers requests. */
class FakeBrowser {
  hidden = false;
  changed = () => {};
  /** @type {{ answer: (response: object) => void, fail: () => void }[]} */
  requests = [];
  /** @type {unknown[]} */
  heard = [];

  /** @param {number} every ms between two requests */
  poll(every = 0) {
    const handlers = {
      shown: (/** @type {object} */ status) => this.heard.push(status),
      away: (/** @type {Date} */ since) => this.heard.push(["away", since]),
      refused: (/** @type {string} */ why) => this.heard.push(["refused", why]),
      loggedOut: () => this.heard.push("logged out"),
    };
    const browser = /** @type {ConstructorParameters<typeof Poll>[2]} */ (
      /** @type {unknown} */ ({
        fetch: (/** @type {string} */ address) => {
          assert.equal(address, "api/status");
          return new Promise((answer, fail) => this.requests.push({ answer, fail: () => fail(new TypeError("away")) }));
        },
        isHidden: () => this.hidden,
        onVisibility: (/** @type {() => void} */ changed) => (this.changed = changed),
      })
    );
    return new Poll("api/status", handlers, browser, every);
  }

  /** Wait for the request of this number, from 1. @param {number} count */
  async request(count) {
    while (this.requests.length < count) await new Promise((resolve) => setTimeout(resolve));
    return this.requests[count - 1];
  }

  /** @param {boolean} hidden */
  hide(hidden) {
    this.hidden = hidden;
    this.changed();
  }

  /** Wait until this many things were heard. @param {number} count */
  async hears(count) {
    while (this.heard.length < count) await new Promise((resolve) => setTimeout(resolve));
  }
}

const ok = () => Response.json(STATUS);

test("it asks again after each answer", async () => {
  const browser = new FakeBrowser();
  browser.poll();

  for (const count of [1, 2, 3]) (await browser.request(count)).answer(ok());
  await browser.hears(3);

  assert.deepEqual(browser.heard, [STATUS, STATUS, STATUS]);
  browser.hide(true);
});

test("it asks nothing while the page is hidden, and at once when it is seen again", async () => {
  const browser = new FakeBrowser();
  browser.poll(3_600_000);
  (await browser.request(1)).answer(ok());
  await browser.hears(1);

  browser.hide(true);
  assert.equal(browser.requests.length, 1);
  browser.hide(false);
  const second = await browser.request(2);
  browser.hide(true);
  second.answer(ok());
  await browser.hears(2);

  assert.equal(browser.requests.length, 2);
});

test("a page that is opened in a hidden tab asks once it is seen", () => {
  const browser = new FakeBrowser();
  browser.hidden = true;
  browser.poll();
  assert.equal(browser.requests.length, 0);

  browser.hide(false);

  assert.equal(browser.requests.length, 1);
  browser.hide(true);
});

test("it has one request at a time", async () => {
  const browser = new FakeBrowser();
  browser.poll(3_600_000);

  browser.hide(true);
  browser.hide(false);

  assert.equal(browser.requests.length, 1);
  (await browser.request(1)).answer(ok());
  await browser.hears(1);
  browser.hide(true);
});

test("a server that does not answer is away since its last answer, until it answers again", async () => {
  const browser = new FakeBrowser();
  browser.poll();
  (await browser.request(1)).answer(ok());

  (await browser.request(2)).fail();
  (await browser.request(3)).fail();
  (await browser.request(4)).answer(ok());
  await browser.hears(4);
  browser.hide(true);

  const [, first, second, last] = /** @type {[string, Date][]} */ (browser.heard);
  assert.deepEqual([first[0], second[0]], ["away", "away"]);
  assert.equal(first[1], second[1]);
  assert.deepEqual(last, STATUS);
});

test("an error is shown in the server's words, or by its status", async () => {
  const browser = new FakeBrowser();
  browser.poll();

  (await browser.request(1)).answer(Response.json({ detail: "too many" }, { status: 503 }));
  (await browser.request(2)).answer(new Response("no JSON", { status: 502, statusText: "Bad Gateway" }));
  (await browser.request(3)).answer(new Response("no JSON"));
  await browser.hears(3);
  browser.hide(true);

  assert.deepEqual(browser.heard.slice(0, 2), [["refused", "too many"], ["refused", "502 Bad Gateway"]]);
  assert.equal(/** @type {unknown[]} */ (browser.heard[2])[0], "away");
});

test("a session that has ended is reported", async () => {
  const browser = new FakeBrowser();
  browser.poll();

  (await browser.request(1)).answer(new Response("", { status: 401 }));
  await browser.hears(1);
  browser.hide(true);

  assert.deepEqual(browser.heard, ["logged out"]);
});
