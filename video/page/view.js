/** The enlarged camera. It is kept in the address (?camera=NAME), so that links and the back button work. */

import { viewOf } from "./addresses.js";

export class View {
  #changed;

  /** @param {() => void} changed called after each change */
  constructor(changed) {
    this.#changed = changed;
    window.addEventListener("popstate", changed);
  }

  /** The enlarged camera's name; null on the wall. */
  get camera() {
    return new URLSearchParams(location.search).get("camera");
  }

  /** @param {string} name */
  enlarge(name) {
    if (this.camera === null) history.pushState({ fromWall: true }, "", viewOf(name));
    else history.replaceState(history.state, "", viewOf(name));
    this.#changed();
  }

  /** Return to the wall. */
  leave() {
    if (this.camera === null) return;
    if (history.state?.fromWall) {
      history.back(); // leads to popstate
      return;
    }
    history.replaceState(null, "", location.pathname);
    this.#changed();
  }
}
