/** The page of the training service: connects the routes with their pages. */

import { byId, make, mark, setData, setMark, setText } from "./dom.js";
import { showNotice } from "./notice.js";
import { openImport } from "./pages/bring.js";
import { openCompare } from "./pages/compare.js";
import { openConfiguration } from "./pages/configuration.js";
import { openConfigurations } from "./pages/configurations.js";
import { openDatasources } from "./pages/datasources.js";
import { openDeploy } from "./pages/deploy.js";
import { openDeployments } from "./pages/deployments.js";
import { openInfer } from "./pages/infer.js";
import { openInferences } from "./pages/inferences.js";
import { openModel } from "./pages/model.js";
import { openModels } from "./pages/models.js";
import { openResult } from "./pages/result.js";
import { openResults } from "./pages/results.js";
import { openStart } from "./pages/start.js";
import { openVisualisation } from "./pages/visualisation.js";
import { dismiss } from "./parts/confirm.js";
import { empty } from "./parts/empty.js";
import { focusTitle } from "./parts/focus.js";
import { head } from "./parts/screen.js";
import { Poll } from "./poll.js";
import { routeOf, routeTo } from "./route.js";
import { loginAddress, showUser } from "./session.js";
import { text } from "./text/common.js";
import { nextTheme, theme } from "./theme.js";

/** @typedef {import("./parts/screen.js").Opens} Opens */
/** @typedef {import("./parts/screen.js").Screen} Screen */
/** @typedef {import("./route.js").Route} Route */

const EVERY = 4000; // ms

const ID = /^\d{1,10}$/;
const ID_OR_NEW = /^(\d{1,10}|new)$/;

/** The list, what is opened if more follows in the route, and what may follow. @type {Record<string, [Opens | null, Opens?, RegExp?]>} */
const pages = {
  "": [openStart],
  models: [openModels, openModel, ID_OR_NEW],
  configurations: [openConfigurations, openConfiguration, ID_OR_NEW],
  deployments: [openDeployments, openDeploy, /^new$/],
  results: [openResults, openResult, ID],
  compare: [openCompare, openCompare, /^\d{1,10}(\/\d{1,10})?$/],
  datasources: [openDatasources],
  inferences: [openInferences],
  predict: [null, openInfer, ID],
  import: [openImport],
  visualisation: [openVisualisation],
};
/** Pages that the bar does not name belong to one that it does. @type {Record<string, string>} */
const PARTS = { compare: "results", predict: "results", import: "deployments" };

const main = byId("main");
const banner = byId("banner");
/** @type {Screen | null} */
let screen = null;
/** @type {Poll<any> | null} */
let poll = null;
let isShown = false; // whether the screen has shown an answer
let shownHash = location.hash;

/** @type {Opens} */
const openNothing = () => ({ title: text.nothing, element: nothing(text.nothing, text.unknownPage, "#/") });

/** @param {boolean} isMove whether the user comes from another page */
function open(isMove) {
  shownHash = location.hash;
  const route = routeOf(location.hash);
  poll?.close();
  screen?.close?.();
  dismiss();
  /** @type {Screen | null} */
  let mine = null;
  // What a page has begun may end when another one is shown, which must stay.
  const now = pageOf(route)(route, {
    refresh: () => mine === screen && poll?.now(),
    go: (href) => mine === screen && go(href),
  });
  mine = screen = now;
  isShown = false;
  void showUser();
  document.title = text.titleOf(now.title);
  main.replaceChildren(now.element);
  showWhere(route);
  trouble("");
  if (isMove) {
    window.scrollTo(0, 0);
    focusTitle();
  }
  const { load, show, every } = now;
  main.toggleAttribute("aria-busy", Boolean(load));
  poll = load ? new Poll(load, { shown: (body) => shown(now, body, show), away, refused, failed }, every ?? (() => EVERY)) : null;
}

/** @param {string} href */
function go(href) {
  if (location.hash === href) open(true);
  else location.hash = href;
}

/** @param {Route} route @returns {Opens} */
function pageOf({ name, rest }) {
  const [list, one, follows] = Object.hasOwn(pages, name) ? pages[name] : [null];
  if (!rest.length) return list ?? openNothing;
  return one && follows?.test(rest.join("/")) ? one : openNothing;
}

/** @param {Screen} of @param {any} body @param {Screen["show"]} show */
function shown(of, body, show) {
  if (of !== screen) return;
  main.removeAttribute("aria-busy");
  trouble("");
  if (!main.contains(of.element)) main.replaceChildren(of.element);
  isShown = true;
  show?.(body);
}

/** @param {Date} since */
const away = (since) => trouble(text.away(since));

/** @param {string} why @param {number} status */
function refused(why, status) {
  if (status === 401 && !screen?.isDirty?.()) location.assign(loginAddress());
  else if (!isShown && [400, 404].includes(status)) showNothing(why);
  else trouble(text.sentence(why));
}

/** Say that there is nothing at this route, such as the model of another time. @param {string} why */
function showNothing(why) {
  const { name } = routeOf(location.hash);
  main.removeAttribute("aria-busy");
  if (screen && !main.contains(screen.element)) return; // it says so already
  main.replaceChildren(nothing(screen?.title ?? "", { ...text.gone, heading: text.sentence(why) }, routeTo([PARTS[name] ?? name])));
  focusTitle();
}

/** @param {string} title @param {typeof text.unknownPage} words @param {string} href */
function nothing(title, words, href) {
  const element = make("div", "page");
  element.append(head(title), empty(words, href));
  return element;
}

/** @param {unknown} error */
function failed(error) {
  console.error(error);
  showNotice(text.failed(String(error)));
}

/** Say what is wrong; what is shown is old until it is right again. @param {string} words */
function trouble(words) {
  setText(banner, words);
  main.toggleAttribute("data-old", words !== "");
}

/** Mark the page in the bar. @param {Route} route */
function showWhere({ name }) {
  const where = PARTS[name] ?? name;
  for (const link of byId("pages").querySelectorAll("a")) {
    if (link.dataset.page === where) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
    if (link.dataset.page === where) link.scrollIntoView({ block: "nearest", inline: "center" });
  }
}

function setUpBar() {
  byId("pages").setAttribute("aria-label", text.pages);
  byId("pages").append(
    ...text.nav.map(([name, words]) => {
      const link = make("a", "nav-link", words);
      link.href = routeTo([name]);
      setData(link, "page", name);
      return link;
    }),
  );
  const button = byId("theme");
  const sign = mark(`theme-${theme()}`);
  const label = (/** @type {import("./theme.js").Theme} */ now) => {
    setMark(sign, `theme-${now}`);
    button.title = text.theme(now);
    button.setAttribute("aria-label", text.theme(now));
  };
  button.append(sign);
  button.addEventListener("click", () => label(nextTheme()));
  label(theme());
}

setUpBar();
document.addEventListener("visibilitychange", () => document.hidden || void showUser());
window.addEventListener("hashchange", () => location.hash !== shownHash && open(true));
window.addEventListener("beforeunload", (event) => screen?.isDirty?.() && event.preventDefault());
window.addEventListener("error", ({ message }) => showNotice(text.failed(message)));
window.addEventListener("unhandledrejection", ({ reason }) => showNotice(text.failed(String(reason))));
open(false);
