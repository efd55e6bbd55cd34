// Focus is always in the field: it comes back after each step, after each click that leads nowhere, and with the window.
import { desk, field, onSettled } from "./desk-page.js";

const KEEPS = "input, textarea, select, button, a[href], summary, video, dialog, [tabindex], [contenteditable]";

export function focus() {
  // On an employee's own phone no keyboard flies up before it is wanted.
  if (!desk() || desk().hasAttribute("data-no-focus")) return;
  const wanted = document.querySelector("#desk [data-focus]") || field();
  if (wanted && !wanted.closest("[hidden]")) wanted.focus({ preventScroll: true });
}

onSettled(focus);

document.addEventListener("click", (e) => {
  if (!desk() || !(e.target instanceof Element) || e.target.closest(KEEPS) || e.target.closest("label")) return;
  // Whoever marks words to copy them keeps what they marked.
  if (String(getSelection())) return;
  focus();
});

addEventListener("focus", () => {
  if (document.activeElement === document.body) focus();
});

// A button that did its work on the page gives the focus back.
document.addEventListener("click", (e) => {
  const button = e.target instanceof Element && e.target.closest("#desk button[data-back]");
  if (button) focus();
});
