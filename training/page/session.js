/** Who uses the page. */

import { byId, make, setText } from "./dom.js";
import { text } from "./text/common.js";

/** @typedef {{access: "open" | "user", name?: string, may_change?: boolean, why_not?: string | null}} Session */

/**
 * Show the user's name and the button to log out, if a login is required. For users who may change nothing, show why, and
 * mark the page: it then hides what has the class `changes`.
 */
export async function showUser() {
  const answer = await fetch("api/session", { cache: "no-store" }).catch(() => null);
  /** @type {Session | null} */
  const session = answer?.ok ? await answer.json().catch(() => null) : null;
  if (!session) return;
  const onlyViews = session.may_change === false;
  document.documentElement.toggleAttribute("data-only-views", onlyViews);
  setText(byId("rights"), onlyViews ? text.mayNotChange(session.why_not ?? "") : "");
  if (session.access !== "user") return;
  byId("user").textContent = session.name ?? "";
  byId("logout").textContent = text.logout;
  byId("logout").title = session.name ?? ""; // for narrow screens, where it is hidden
  byId("session").hidden = false;
}

/** The login page, from which one returns to this one, and to its route. */
export const loginAddress = () => `login?next=${encodeURIComponent(location.pathname + location.hash)}`;

/** @param {string} words */
export function loginLink(words) {
  const link = make("a", "", words);
  link.href = loginAddress();
  link.target = "_blank";
  return link;
}
