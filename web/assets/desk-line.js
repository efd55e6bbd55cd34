// Sending over a bad line. A form of the desk is sent by script: when the line drops, what was entered is kept in this
// browser, the page says so, and the same request goes out again with the same key until it is answered. The server knows
// the key, so that twice is like once.
import { desk, onSettled, say, show } from "./desk-page.js";
import { forget, keep, kept } from "./desk-kept.js";

const PATIENCE = 30_000; // milliseconds until an answer that does not come is a line that is down
const BOUNCE = 700; // milliseconds in which an Enter after an Enter is a slip of the finger
const PAUSES = [1_000, 2_000, 4_000, 8_000, 15_000];

let waiting = null; // what is on its way, or kept until the line is back
let timer = 0;
let tries = 0;
let ended = -Infinity; // when something was done: the second of two Enters then leads nowhere

function box() {
  return document.querySelector("#desk [data-line]");
}

function tell(sentence, { signIn = false } = {}) {
  const note = box();
  if (!note) return;
  note.hidden = !sentence;
  note.querySelector("[data-line-says]").textContent = sentence;
  const link = note.querySelector("[data-line-sign-in]");
  if (link) link.hidden = !signIn;
}

/** The request that a form makes, as plain data that can be kept. */
export function requestOf(form, submitter) {
  const data = new FormData(form, submitter);
  const method = (submitter?.getAttribute("formmethod") || form.getAttribute("method") || "get").toLowerCase();
  const address = new URL(submitter?.getAttribute("formaction") || form.getAttribute("action") || location.href, location.href);
  const entries = [...data.entries()].filter(([, value]) => typeof value === "string" || value.size > 0);
  if (method === "get") {
    address.search = new URLSearchParams(entries).toString();
    return { method, address: address.href, entries: [], files: false };
  }
  return { method, address: address.href, entries, files: entries.some(([, value]) => typeof value !== "string") };
}

function bodyOf(request) {
  if (request.method === "get") return undefined;
  const body = request.files ? new FormData() : new URLSearchParams();
  for (const [name, value] of request.entries) body.append(name, value);
  return body;
}

/** Sends a request, unless one is on its way: Enter pressed twice is Enter pressed once. */
export function send(request, form = null) {
  if (waiting) return;
  waiting = { ...request, actor: desk()?.dataset.actor || "", at: Date.now() };
  tries = 0;
  form?.setAttribute("aria-busy", "true");
  attempt();
}

async function attempt() {
  const now = waiting;
  clearTimeout(timer);
  try {
    const answer = await fetch(now.address, {
      method: now.method.toUpperCase(),
      body: bodyOf(now),
      headers: { Accept: "text/html" },
      signal: AbortSignal.timeout(PATIENCE),
    });
    const html = await answer.text();
    if (waiting !== now) return;
    if (answer.status === 401 || new URL(answer.url).pathname === "/sign-in") return later(say("sayOut"), { signIn: true });
    if (answer.status >= 500) return later(say("sayServer"));
    if (now.method === "post" && answer.ok) {
      forgetDrafts();
      ended = performance.now();
    }
    await done();
    show(html, now.method === "get" || answer.redirected ? answer.url : addressIn(html));
    if (tries) tell(say("saySent"));
  } catch {
    if (waiting === now) later(say("sayLine"));
  }
}

/** Where an answer stands that came without a redirect: it says so itself when it has an address of its own. */
function addressIn(html) {
  const said = /data-address="([^"]+)"/.exec(html)?.[1];
  return said ? new URL(said, location.href).href : location.href;
}

async function later(sentence, options) {
  tell(sentence, options);
  timer = setTimeout(attempt, PAUSES[Math.min(tries, PAUSES.length - 1)]);
  tries += 1;
  await keep(waiting);
}

async function done() {
  waiting = null;
  for (const form of document.querySelectorAll("#desk form[aria-busy]")) form.removeAttribute("aria-busy");
  await forget();
}

document.addEventListener("submit", (e) => {
  const form = e.target;
  if (!form.closest("[data-desk]") || form.matches("[data-plain]") || e.defaultPrevented) return;
  e.preventDefault();
  if (performance.now() - ended < BOUNCE && form.matches("[data-scan]") && !form.elements.code.value) return;
  send(requestOf(form, e.submitter), form);
});

document.addEventListener("click", (e) => {
  const link = e.target instanceof Element && e.target.closest("#desk a[data-key], #desk a[data-swap]");
  if (link && !e.metaKey && !e.ctrlKey && !e.shiftKey) {
    e.preventDefault();
    send({ method: "get", address: link.href, entries: [], files: false });
  }
  if (e.target instanceof Element && e.target.closest("[data-line-now]") && waiting) attempt();
  if (e.target instanceof Element && e.target.closest("[data-line-drop]")) {
    clearTimeout(timer);
    tell("");
    done();
  }
});

addEventListener("online", () => waiting && tries && attempt());
addEventListener("beforeunload", (e) => {
  // A request that changes something and is not answered yet: the browser asks before it goes.
  if (waiting?.method === "post" && tries) e.preventDefault();
});

// What a page that was closed or loaded anew had kept: the same person's, and not older than half a day.
kept().then((found) => {
  if (!found || waiting || !desk()) return;
  // Somebody else sits here now: nothing goes out in another name, and nothing of it stays.
  if (found.actor !== desk().dataset.actor) forget();
  else {
    waiting = found;
    tries = 1;
    tell(say("sayLine"));
    attempt();
  }
});

function forgetDrafts() {
  for (const name of Object.keys(sessionStorage)) if (name.startsWith("desk-draft:")) sessionStorage.removeItem(name);
}

// What is typed and not sent yet outlives a page that is loaded anew; it is forgotten with the window.
const draft = (form) => `desk-draft:${location.pathname}${location.search}:${form.dataset.keep}`;

document.addEventListener("input", (e) => {
  const form = e.target instanceof Element && e.target.closest("#desk form[data-keep]");
  if (!form) return;
  const entries = [...new FormData(form).entries()].filter(([name, value]) => typeof value === "string" && name !== "csrf_token");
  sessionStorage.setItem(draft(form), JSON.stringify(entries));
});

onSettled(() => {
  for (const form of document.querySelectorAll("#desk form[data-keep]")) {
    const written = JSON.parse(sessionStorage.getItem(draft(form)) || "[]");
    const by = Map.groupBy ? Map.groupBy(written, ([name]) => name) : new Map(written.map((one) => [one[0], [one]]));
    for (const [name, entries] of by) {
      const values = entries.map(([, value]) => value);
      for (const input of form.querySelectorAll(`[name="${CSS.escape(name)}"]`)) {
        if (input.type === "checkbox" || input.type === "radio") input.checked = values.includes(input.value);
        else if (input.type !== "file") input.value = values[0];
      }
    }
    form.dispatchEvent(new CustomEvent("desk:restored", { bubbles: true }));
  }
});
