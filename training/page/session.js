/** Who uses the page. */

import { byId, make } from "./dom.js";
import { text } from "./text/common.js";

/** @typedef {{access: "open" | "user", name?: string, may_change?: boolean, why_not?: string | null}} Session */

/** Show the user's name and the button to log out, if a login is required, and what helps users who may change nothing. */
export async function showUser() {
  const answer = await fetch("api/session", { cache: "no-store" }).catch(() => null);
  /** @type {Session | null} */
  const session = answer?.ok ? await answer.json().catch(() => null) : null;
  if (session?.may_change === false) byId("rights").textContent = text.mayNotChange(session.why_not ?? "");
  if (session?.access !== "user") return;
  byId("user").textContent = session.name ?? "";
  byId("logout").textContent = text.logout;
  byId("logout").title = session.name ?? ""; // for narrow screens, where it is hidden
  byId("session").hidden = false;
}

/** The login page, from which one returns to this one. */
export const loginAddress = () => `login?next=${encodeURIComponent(location.pathname)}`;

/** @param {string} words */
export function loginLink(words) {
  const link = make("a", "", words);
  link.href = loginAddress();
  link.target = "_blank";
  return link;
}
