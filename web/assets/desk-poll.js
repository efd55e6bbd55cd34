// A part of the page that waits for something: asked for every two seconds, until it says no more that it waits.
import { focus } from "./desk-field.js";

const EVERY = 2_000;

async function ask(part) {
  try {
    const answer = await fetch(part.dataset.poll, { headers: { Accept: "text/html" }, signal: AbortSignal.timeout(10_000) });
    if (!answer.ok || !part.isConnected) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").body.firstElementChild;
    if (!fresh || fresh.outerHTML === part.outerHTML) return;
    part.replaceWith(fresh);
    if (!fresh.matches("[data-poll]")) focus();
  } catch {
    // The line is down: the next time it is asked again.
  }
}

setInterval(() => {
  if (document.hidden) return;
  for (const part of document.querySelectorAll("#desk [data-poll]")) ask(part);
}, EVERY);
