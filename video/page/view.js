/** The enlarged camera. It is kept in the address (?camera=NAME), so that links and the back button work. */

import { viewOf } from "./addresses.js";

export class View {
  #changed;
  #leaving = false; // whether the browser is on its way back to the wall

  /** @param {() => void} changed called after each change */
  constructor(changed) {
    this.#changed = changed;
    window.addEventListener("popstate", () => {
      this.#leaving = false;
      changed();
    });
  }

  /** The enlarged camera's name; null on the wall. */
  get camera() {
    return this.#leaving ? null : new URLSearchParams(location.search).get("camera");
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
      this.#leaving = true; // to go back twice would leave the page
      history.back(); // leads to popstate, but only later
      return;
    }
    history.replaceState(null, "", location.pathname);
    this.#changed();
  }
}
