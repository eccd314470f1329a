/** Decides what happens to the tiles of cameras that the server no longer reports. */

/** @typedef {import("./text.js").Shown} Shown */

/**
 * Divide the tiles of cameras that the server no longer reports. A camera that was reported until now is removed.
 * One that has not been reported since the server came back is awaited for a while, because a server that has
 * just started knows its cameras only after their first frames; then its tile is dropped.
 * @template {{state: Shown}} Tile
 * @param {Map<string, Tile>} before all tiles until now
 * @param {Map<string, unknown>} reported the cameras that the server reports now
 * @param {boolean} waiting whether the server has only just come back
 * @returns {{awaited: Tile[], dropped: Tile[], removed: Tile[]}}
 */
export function missing(before, reported, waiting) {
  const gone = [...before].filter(([name]) => !reported.has(name)).map(([, tile]) => tile);
  const lost = gone.filter(({ state }) => state === "away");
  return {
    awaited: waiting ? lost : [],
    dropped: waiting ? [] : lost,
    removed: gone.filter(({ state }) => state !== "away"),
  };
}
