// Calls for help on every page of the console: shown, said to screen readers, played, and blinking in the title.
const ALLOWED = "panic-sound";
const AGAIN = 4_000;
const EVERY = 1_000;
const here = document.querySelector("#panic");
let context = null;
let number = here?.dataset.panicNumber;
const sounds = {};
const said = new Set();
const title = document.title;
let blink = null;

const allowed = () => localStorage.getItem(ALLOWED) === "yes";
const awake = () => allowed() && context?.state === "running";
const all = (selector) => [...document.querySelectorAll(selector)];

async function load(kind) {
  sounds[kind] ||= fetch(kind === "exercise" ? here.dataset.panicExercise : here.dataset.panicSound)
    .then((answer) => answer.arrayBuffer())
    .then((bytes) => context.decodeAudioData(bytes));
  return sounds[kind];
}

async function play(kind) {
  if (!awake()) return;
  // One page of this browser plays, however many are open.
  const once = async () => {
    const source = context.createBufferSource();
    source.buffer = await load(kind);
    source.connect(context.destination);
    const ended = new Promise((done) => (source.onended = done));
    source.start();
    document.documentElement.dataset.panicPlayed = kind;
    await ended;
  };
  if (!navigator.locks) return once();
  await navigator.locks.request("panic-sound", { ifAvailable: true }, (lock) => lock && once());
}

async function wake() {
  if (!allowed() || !window.AudioContext) return;
  context ||= new AudioContext();
  if (context.state !== "running") await Promise.race([context.resume(), new Promise((done) => setTimeout(done, 300))]);
  draw();
}

function draw() {
  for (const button of all("[data-panic-allow]")) button.hidden = awake() || !window.AudioContext;
  for (const word of all("[data-panic-silent]")) word.hidden = awake();
  for (const button of all("[data-panic-forbid], [data-panic-try]")) button.hidden = !awake();
  for (const line of all("[data-panic-sound-state]")) {
    line.textContent = awake() ? line.dataset.on : allowed() ? line.dataset.asleep : line.dataset.off;
  }
}

document.addEventListener("click", async (e) => {
  const button = e.target instanceof Element && e.target.closest("[data-panic-allow], [data-panic-forbid], [data-panic-try]");
  if (!button) return;
  if (button.matches("[data-panic-forbid]")) {
    localStorage.setItem(ALLOWED, "no");
    await context?.suspend();
    draw();
    return;
  }
  localStorage.setItem(ALLOWED, "yes");
  await wake();
  await play(button.dataset.panicTry || "true");
});
// A browser lets a page sound once somebody has touched it.
for (const event of ["pointerdown", "keydown"]) document.addEventListener(event, () => context?.state !== "running" && wake());

const loud = () => all("[data-panic-call][data-panic-loud]");

function say() {
  const calls = all("[data-panic-call]");
  const fresh = calls.filter((one) => !said.has(`${one.dataset.panicCall} ${one.dataset.panicPresses}`));
  for (const one of calls) said.add(`${one.dataset.panicCall} ${one.dataset.panicPresses}`);
  if (fresh.length) here.querySelector("[data-panic-says]").textContent = fresh.map((one) => one.dataset.panicText).join(". ");
}

function shine() {
  clearInterval(blink);
  document.title = title;
  const first = loud()[0];
  if (!first) return;
  const text = `⚠ ${first.dataset.panicText}`;
  document.title = text;
  blink = setInterval(() => (document.title = document.title === title ? text : title), 1_000);
}

function ring() {
  const calls = loud();
  if (!calls.length) return;
  play(calls.some((one) => !("panicPractised" in one.dataset)) ? "true" : "exercise");
}

function react() {
  say();
  shine();
  draw();
  ring();
}

async function refresh() {
  const answer = await fetch(here.dataset.panicBar, { headers: { Accept: "text/html" }, signal: AbortSignal.timeout(10_000) });
  if (!answer.ok || answer.redirected) return;
  const list = here.querySelector("[data-panic-list]");
  const focused = list.contains(document.activeElement) && document.activeElement.closest("[data-panic-call]")?.dataset.panicCall;
  list.innerHTML = await answer.text();
  // Forms of the fragment go back to the page on which they stand.
  for (const field of list.querySelectorAll("input[name=next]")) field.value = location.pathname + location.search;
  if (focused) list.querySelector(`[data-panic-call="${focused}"] a`)?.focus();
  react();
}

function heard({ data }) {
  const show = (name, shown) => (here.querySelector(name).hidden = !shown);
  if (data.kind === "out") {
    const out = here.querySelector("[data-panic-out]");
    if (out.hidden) {
      out.hidden = false;
      play("exercise");
    }
    return;
  }
  show("[data-panic-lost]", data.kind === "lost");
  if (data.kind !== "number") return;
  show("[data-panic-out]", false);
  if (data.number === number) return;
  number = data.number;
  refresh().catch(() => (number = ""));
}

function listen() {
  const shared = "SharedWorker" in window;
  const worker = shared ? new SharedWorker(here.dataset.panicListener) : new Worker(here.dataset.panicListener);
  const port = shared ? worker.port : worker;
  port.onmessage = heard;
  const every = "panicAnswers" in here.dataset ? EVERY : 0;
  const ask = () => port.postMessage({ kind: "ask", every, address: new URL(here.dataset.panicPulse, location.href).href });
  ask();
  addEventListener("pagehide", () => port.postMessage({ kind: "gone" }));
  addEventListener("pageshow", (e) => e.persisted && location.reload());
}

if (here) {
  react();
  wake().then(ring);
  setInterval(ring, AGAIN);
  // What is open now stands on the page already: the page is drawn first, then it begins to listen.
  const begin = () => setTimeout(listen, 2_000);
  if (document.readyState === "complete") begin();
  else addEventListener("load", begin);
}
