/** Texts that several pages share. */

import { timeOf } from "../times.js";
import { number } from "./numbers.js";

/** @typedef {import("../types.js").Result} Result */
/** @typedef {import("../types.js").State} State */

/** @type {Record<State, string>} */
const states = {
  queued: "Waits for its turn",
  starting: "Starting",
  waiting: "Waits for data",
  reading: "Reads the data",
  training: "Training",
  evaluating: "Evaluating",
  exporting: "Exporting",
  finished: "Finished",
  failed: "Failed",
  stopped: "Stopped",
};

/** @type {Record<string, string>} */
const frameworks = { tf: "TensorFlow", pth: "PyTorch" };

/** @param {string} words the server's */
const sentence = (words) => words.charAt(0).toUpperCase() + words.slice(1);

/** @param {number} s */
function leftOf(s) {
  if (s < 90) return `${Math.max(1, Math.round(s))} s`;
  if (s < 5400) return `${Math.round(s / 60)} min`;
  return `${(s / 3600).toFixed(1)} h`;
}

export const text = {
  title: "Streamlens training",
  /** @param {string} page */
  titleOf: (page) => `${page} · Streamlens training`,
  sentence,
  states,
  /** @param {State} state */
  state: (state) => states[state] ?? state,
  /** @param {string} framework */
  framework: (framework) => frameworks[framework] ?? framework,
  /** @param {string} iso */
  time: (iso) => timeOf(new Date(iso)),
  left: leftOf,
  none: "–",

  /** How far a training is; empty if there is nothing to say. @param {Pick<Result, "state" | "progress">} result */
  progress: ({ state, progress }) => {
    const { read, total, epoch, epochs, step, steps, left_s, place } = progress ?? {};
    if (state === "queued" && place) return `Place ${number(place)} in the queue`;
    if (state === "reading" && total) return `${number(read ?? 0)} of ${number(total)} messages`;
    if (state !== "training" || epoch === undefined || !epochs) return "";
    const parts = [`epoch ${Math.min(epoch + 1, epochs)} of ${epochs}`];
    if (steps && step && step < steps) parts.push(`step ${step} of ${steps}`);
    if (left_s && left_s >= 0.5) parts.push(`about ${leftOf(left_s)} left`);
    return sentence(parts.join(", "));
  },

  cancel: "Cancel",
  save: "Save",
  saving: "Saving …",
  edit: "Edit",
  remove: "Delete",
  stop: "Stop",
  actions: "Actions",
  changedElsewhere: "This was changed elsewhere since you opened it. Saving here replaces that.",
  showNewer: "Show what is there now",

  leaveEditor: "In the editor, Tab indents. Press Esc, then Tab, to leave it",
  editorAway: "The editor cannot be loaded: the server does not answer. Trying again …",
  noAnswer: "The server does not answer. Try again",
  /** @param {number} status */
  refused: (status) => `The server refused this with status ${status}`,
  /** @param {Date} time */
  away: (time) => `No connection to the server since ${timeOf(time)}; retrying`,
  /** @param {string} why what helps */
  mayNotChange: (why) => `You may look at everything here, but change nothing${why ? `: ${why}` : ""}`,
  onlyViews: "You may look at this, but not change it.",
  loggedOut: "You are no longer logged in.",
  logIn: "Log in in a new tab, then try again here",
  /** When something went wrong inside the page. @param {string} why the browser's words */
  failed: (why) => `Error on this page: ${why}`,
  /** @param {string} why */
  notDone: (why) => `Nothing was changed: ${why}`,
  /** For what was asked for and is not there. */
  gone: { lead: "It may have been deleted.", act: "To the list" },
  nothing: "Not found",
  unknownPage: {
    heading: "There is no such page",
    lead: "The address may be of another version.",
    act: "To the start",
  },
  /** @param {"system" | "dark" | "light"} theme */
  theme: (theme) => `Colours: ${{ system: "same as system", dark: "dark", light: "light" }[theme]}`,
  logout: "Log out",
  pages: "Pages",

  /** The pages in the bar: the name of the route, and its words. @type {[string, string][]} */
  nav: [
    ["models", "Models"],
    ["configurations", "Configurations"],
    ["deployments", "Deployments"],
    ["results", "Results"],
    ["datasources", "Data"],
    ["inferences", "Inferences"],
    ["visualisation", "Visualisation"],
  ],
};
