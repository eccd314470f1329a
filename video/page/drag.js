/** Moves tiles on the wall by drag and drop. */

import { setData } from "./dom.js";

/**
 * @param {HTMLElement} wall
 * @param {(camera: string, target: string) => boolean} fits whether a camera may be put at another one's place
 * @param {(camera: string, target: string, after: boolean) => void} move
 */
export function setUpDrag(wall, fits, move) {
  /** @type {string | null} */
  let dragged = null;
  /** @type {HTMLElement | null} */
  let marked = null;

  /** @param {HTMLElement | null} tile @param {string} side */
  const show = (tile, side = "") => {
    if (marked && marked !== tile) delete marked.dataset.drop;
    if (tile) setData(tile, "drop", side);
    marked = tile;
  };
  /** @param {DragEvent} event */
  const tileAt = ({ target }) => {
    const tile = target instanceof Element ? /** @type {HTMLElement | null} */ (target.closest(".tile")) : null;
    const camera = tile?.dataset.camera;
    return dragged !== null && camera !== undefined && camera !== dragged && fits(dragged, camera) ? tile : null;
  };

  wall.addEventListener("dragstart", (event) => {
    const tile = event.target instanceof Element ? event.target.closest(".tile") : null;
    if (!(tile instanceof HTMLElement) || wall.dataset.view !== "wall") return;
    dragged = tile.dataset.camera ?? null;
    if (event.dataTransfer) event.dataTransfer.effectAllowed = "linkMove"; // it is a link, too
    setData(tile, "dragged", "true");
  });
  wall.addEventListener("dragover", (event) => {
    const tile = tileAt(event);
    show(tile, tile && isAfter(tile, event) ? "after" : "before");
    if (!tile) return;
    event.preventDefault(); // this allows to drop it here
    if (event.dataTransfer) event.dataTransfer.dropEffect = "move";
  });
  wall.addEventListener("drop", (event) => {
    const tile = tileAt(event);
    if (!tile || dragged === null) return;
    event.preventDefault();
    move(dragged, tile.dataset.camera ?? "", isAfter(tile, event));
  });
  wall.addEventListener("dragend", ({ target }) => {
    const tile = target instanceof Element ? target.closest(".tile") : null;
    if (tile instanceof HTMLElement) delete tile.dataset.dragged;
    show(null);
    dragged = null;
  });
}

/** Whether the pointer is over a tile's second half. @param {HTMLElement} tile @param {DragEvent} event */
function isAfter(tile, { clientX }) {
  const { left, width } = tile.getBoundingClientRect();
  return clientX > left + width / 2;
}
