/** Which of this browser's windows may hold several streams. */

/**
 * A browser opens six connections to a server, for all its windows together: two walls of live pictures would
 * leave none for anything else. The window used last has its turn; the others show snapshots.
 * @param {() => void} changed
 * @returns {() => boolean} whether it is this window's turn
 */
export function takeTurns(changed) {
  const channel = new BroadcastChannel("streamlens");
  let mine = true;
  const take = () => {
    if (document.hidden) return;
    channel.postMessage("mine");
    if (!mine) {
      mine = true;
      changed();
    }
  };
  channel.addEventListener("message", () => {
    mine = false;
    changed();
  });
  window.addEventListener("focus", take);
  document.addEventListener("visibilitychange", () => (document.hidden ? changed() : take()));
  take();
  return () => mine && !document.hidden;
}
