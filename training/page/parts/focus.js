/** What has the focus when what had it is gone: the keyboard must not begin again at the top of the page. */

/**
 * Replace the children of an element. If one of them has the focus, the new one with the same words gets it, or else the first.
 * @param {HTMLElement} parent
 * @param {HTMLElement[]} children
 */
export function replaceActs(parent, children) {
  const before = parent.contains(document.activeElement) ? document.activeElement?.textContent : null;
  parent.replaceChildren(...children);
  if (before === null) return;
  const next = children.find(({ textContent }) => textContent === before) ?? children[0];
  if (next) next.focus();
  else focusTitle();
}

/**
 * Remove a row. If it has the focus, the link or button of the next row gets it, or that of the one before.
 * @param {HTMLElement} row
 */
export function removeRow(row) {
  const hadFocus = row.contains(document.activeElement);
  const next = row.nextElementSibling ?? row.previousElementSibling;
  row.remove();
  if (!hadFocus) return;
  const place = /** @type {HTMLElement | null} */ (next?.querySelector("a, button") ?? null);
  if (place) place.focus();
  else focusTitle();
}

/** The heading, where the keyboard and screen readers begin. */
export function focusTitle() {
  /** @type {HTMLElement | null} */ (document.querySelector("main .page-title"))?.focus({ preventScroll: true });
}
