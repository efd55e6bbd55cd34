// What the other files of the desk share: the page as it is now, and the moment when it is a new one.

export const SETTLED = "desk:settled";

export function desk() {
  return document.querySelector("[data-desk]");
}

export function say(name) {
  return desk()?.dataset[name] || "";
}

export function field() {
  return document.querySelector("#desk [data-field]");
}

/** Puts another page in the place of this one, as if the browser had gone there. */
export function show(html, address, { push = true } = {}) {
  const fresh = new DOMParser().parseFromString(html, "text/html");
  const main = fresh.querySelector("#main");
  if (!main || !document.querySelector("#main")) {
    location.assign(address);
    return;
  }
  document.title = fresh.title;
  document.querySelector("#main").replaceChildren(...main.childNodes);
  if (push && address !== location.href) history.pushState({}, "", address);
  scrollTo(0, 0);
  settle();
}

export function settle() {
  document.dispatchEvent(new CustomEvent(SETTLED));
}

export function onSettled(handler) {
  document.addEventListener(SETTLED, handler);
  handler();
}

addEventListener("popstate", () => location.reload());
