// Where a page has no field, a letter alone does what stands beside it.
import { desk } from "./desk-page.js";

document.addEventListener("keydown", (e) => {
  if (!desk() || e.ctrlKey || e.altKey || e.metaKey || e.repeat || !/^[a-z0-9]$/i.test(e.key)) return;
  if (e.target instanceof Element && e.target.closest("input:not([type=hidden]), textarea, select, dialog")) return;
  if (document.querySelector("#desk [data-field], #desk input[data-focus]")) return;
  const letter = CSS.escape(e.key.toLowerCase());
  const found = document.querySelector(`#desk a[data-key="${letter}"], #desk button[name="press"][value="${letter}"]`);
  if (!found) return;
  e.preventDefault();
  found.click();
});
