import assert from "node:assert/strict";
import { test } from "node:test";

import { Poll } from "../../../training/page/poll.js";

/** @typedef {import("../../../training/page/requests.js").Answer} Answer */

/** A browser in which a test hides the page, and answers requests. */
class FakeBrowser {
  hidden = false;
  changed = () => {};
  /** @type {((answer: Answer) => void)[]} */
  requests = [];
  /** @type {unknown[]} */
  heard = [];

  /** @param {number} every ms between two requests */
  poll(every = 0) {
    return new Poll(
      () => /** @type {Promise<Answer>} */ (new Promise((answer) => this.requests.push(answer))),
      {
        shown: (body) => {
          if (body === "broken") throw new Error("broken");
          this.heard.push(body);
        },
        away: () => this.heard.push("away"),
        refused: (why, status) => this.heard.push([status, why]),
        failed: () => this.heard.push("failed"),
      },
      () => every,
      { isHidden: () => this.hidden, onVisibility: (changed) => (this.changed = changed) },
    );
  }

  /** Answer the request of this number, from 1. @param {number} count @param {Answer} answer */
  async answer(count, answer) {
    while (this.requests.length < count) await new Promise((resolve) => setTimeout(resolve));
    this.requests[count - 1](answer);
    await new Promise((resolve) => setTimeout(resolve));
  }
}

const ok = (/** @type {unknown} */ body) => ({ ok: /** @type {const} */ (true), body });
const FOREVER = 1e6;

test("it asks again after each answer", async () => {
  const browser = new FakeBrowser();
  const poll = browser.poll();

  await browser.answer(1, ok("one"));
  await browser.answer(2, ok("two"));

  assert.deepEqual(browser.heard, ["one", "two"]);
  poll.close();
});

test("refusals and silence are reported, and it goes on", async () => {
  const browser = new FakeBrowser();
  const poll = browser.poll();

  await browser.answer(1, { ok: false, status: 400, why: "no" });
  await browser.answer(2, { ok: false, status: 0, why: "nothing" });
  await browser.answer(3, ok("yes"));

  assert.deepEqual(browser.heard, [[400, "no"], "away", "yes"]);
  poll.close();
});

test("a hidden page asks nothing, and asks at once when it is seen", async () => {
  const browser = new FakeBrowser();
  browser.hidden = true;
  const poll = browser.poll(FOREVER);
  assert.equal(browser.requests.length, 0);

  browser.hidden = false;
  browser.changed();
  await browser.answer(1, ok("seen"));

  assert.deepEqual(browser.heard, ["seen"]);
  poll.close();
});

test("after a change it asks at once, and again if an older answer was on its way", async () => {
  const browser = new FakeBrowser();
  const poll = browser.poll(FOREVER);

  poll.now();
  assert.equal(browser.requests.length, 1);
  await browser.answer(1, ok("before"));
  await browser.answer(2, ok("after"));

  assert.deepEqual(browser.heard, ["before", "after"]);
  poll.close();
});

test("what arrives after its end is dropped", async () => {
  const browser = new FakeBrowser();
  const poll = browser.poll();

  poll.close();
  await browser.answer(1, ok("late"));
  poll.now();

  assert.deepEqual(browser.heard, []);
  assert.equal(browser.requests.length, 1);
});

test("an error while something is shown ends nothing", async () => {
  const browser = new FakeBrowser();
  const poll = browser.poll();

  await browser.answer(1, ok("broken"));
  await browser.answer(2, ok("two"));

  assert.deepEqual(browser.heard, ["failed", "two"]);
  poll.close();
});
