/** Keeps the fragment of the page's address for after the login: the server does not see it. */

const next = /** @type {HTMLInputElement} */ (document.querySelector("input[name=next]"));
if (location.hash && !next.value.includes("#")) {
  next.value = (next.value || new URL(".", location.href).pathname) + location.hash;
}
