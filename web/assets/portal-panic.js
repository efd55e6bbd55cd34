// The panic button: a hold of one second, and a call that is kept on the phone until the server has answered.
const HOLD = 1_000;
const LOOK = 3_000;
const LONGEST = 30_000;
const KEPT = "panic-kept";
const STORE = "panic-kept";
const here = document.querySelector("#panic");
let failures = 0;
let sending = false;
let timer = null;

// Only in memory where the browser keeps nothing: pressed is pressed.
let memory = [];
function kept() {
  try {
    return JSON.parse(localStorage.getItem(KEPT) || "[]");
  } catch {
    return memory;
  }
}
function keep(presses) {
  memory = presses;
  try {
    localStorage.setItem(KEPT, JSON.stringify(presses));
  } catch {
    // The copy in memory has to do.
  }
}

function show(stage, told = {}) {
  here.dataset.stage = stage;
  const within = document.activeElement;
  for (const part of here.querySelectorAll("[data-shows]")) part.hidden = !part.dataset.shows.split(" ").includes(stage);
  if ("by" in told) here.querySelector("[data-by]").textContent = told.by;
  if ("exercise" in told) for (const mark of here.querySelectorAll("[data-practised]")) mark.hidden = !told.exercise;
  if ("practising" in told) here.querySelector("[data-practising]").hidden = !told.practising;
  if ("why" in told) here.querySelector("[data-why]").textContent = told.why;
  // What was being used is gone: whoever goes on by keyboard begins where it says how it stands.
  if (within?.closest("[hidden]")) here.querySelector("[role=status]").focus();
}

const says = { Accept: "application/json", "Content-Type": "application/json", "X-Havenmeester-Panic": "yes" };
const post = (address, body) =>
  fetch(address, { method: "POST", headers: says, body: JSON.stringify(body), signal: AbortSignal.timeout(15_000) });

// Ids are made here, so that the same call sent ten times is one call.
function fresh() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function send() {
  clearTimeout(timer);
  const [first] = kept();
  if (!first || sending) return;
  sending = true;
  show("sending");
  try {
    const press = { id: first.id, ago: Math.max(0, (Date.now() - first.at) / 1000), exercise: first.exercise };
    const answer = await post(here.dataset.send, press);
    const told = await answer.json();
    // Said no for good: the sentence tells what to do. Everything else is tried again.
    const never = [400, 401, 403, 413, 422].includes(answer.status) || told.code === "no_drill";
    if (!answer.ok && !never) throw new Error(String(answer.status));
    keep(kept().filter((one) => one.id !== first.id));
    forgetCopy(first.id);
    failures = 0;
    if (answer.ok) show(told.stage, told);
    else show("refused", { why: told.title });
  } catch {
    failures += 1;
    timer = setTimeout(send, Math.min(LONGEST, 1_000 * 2 ** (failures - 1)) * (0.75 + Math.random() / 2));
  } finally {
    sending = false;
  }
  if (!failures && kept().length) send();
}

function locate(id) {
  if (!("locates" in here.dataset) || !navigator.geolocation) return;
  const told = ({ coords }) => {
    const place = { id, latitude: coords.latitude, longitude: coords.longitude, accuracy: coords.accuracy };
    const again = (left) =>
      post(here.dataset.where, place)
        .then((answer) => answer.json())
        .then(({ kept: taken }) => !taken && left && setTimeout(() => again(left - 1), LOOK))
        .catch(() => left && setTimeout(() => again(left - 1), LOOK));
    again(20);
  };
  navigator.geolocation.getCurrentPosition(told, () => {}, { enableHighAccuracy: true, timeout: 30_000, maximumAge: 60_000 });
}

// A copy where the service worker finds it: on some phones it sends it when the line is back, also after the page was closed.
async function copy(press) {
  if (!("caches" in window)) return;
  const store = await caches.open(STORE);
  await store.put(`/panic/kept/${press.id}`, new Response(JSON.stringify(press)));
  const worker = await navigator.serviceWorker?.ready;
  await worker?.sync?.register("panic");
}
const forgetCopy = (id) => "caches" in window && caches.open(STORE).then((store) => store.delete(`/panic/kept/${id}`)).catch(() => {});

function press(exercise) {
  const one = { id: fresh(), at: Date.now(), exercise };
  keep([...kept(), one]);
  copy(one).catch(() => {});
  failures = 0;
  navigator.vibrate?.(200);
  send();
  if (!exercise) locate(one.id);
}

function holdable(button) {
  const exercise = "exercise" in button.dataset;
  let begun = 0;
  let waiting = null;
  const begin = () => {
    if (begun) return;
    begun = performance.now();
    button.classList.add("is-held");
    waiting = setTimeout(() => {
      end();
      press(exercise);
    }, HOLD);
  };
  const end = () => {
    clearTimeout(waiting);
    begun = 0;
    button.classList.remove("is-held");
  };
  button.addEventListener("pointerdown", (e) => {
    if (e.button) return;
    button.setPointerCapture?.(e.pointerId);
    begin();
  });
  for (const event of ["pointerup", "pointercancel", "blur"]) button.addEventListener(event, end);
  button.addEventListener("contextmenu", (e) => e.preventDefault());
  button.addEventListener("keydown", (e) => {
    if (e.key !== " " && e.key !== "Enter") return;
    e.preventDefault();
    // A key that stays down is one press, not one more every second.
    if (!e.repeat) begin();
  });
  button.addEventListener("keyup", (e) => (e.key === " " || e.key === "Enter") && end());
  // Screen readers and switches press without holding: two such presses within five seconds are as good.
  let once = 0;
  button.addEventListener("click", (e) => {
    e.preventDefault();
    if (e.detail !== 0) return;
    if (performance.now() - once < 5_000) press(exercise);
    once = performance.now();
  });
}

async function look() {
  if (!kept().length && ["rung", "coming"].includes(here.dataset.stage)) {
    try {
      const answer = await fetch(here.dataset.state, { headers: { Accept: "application/json" }, signal: AbortSignal.timeout(10_000) });
      if (answer.ok && !kept().length) {
        const told = await answer.json();
        show(told.stage, told);
      }
    } catch {
      // The line is gone for a moment; what is shown stays.
    }
  }
  setTimeout(look, LOOK);
}

function safe(form) {
  form.addEventListener("submit", async (e) => {
    e.preventDefault();
    const wrong = form.querySelector("[data-wrong]");
    try {
      const answer = await post(here.dataset.off, { code: form.querySelector("[name=code]")?.value || "" });
      const told = await answer.json();
      if (answer.ok) {
        form.reset();
        show(told.stage, told);
      } else if (wrong) {
        wrong.textContent = told.wrong || told.title;
        wrong.hidden = false;
      }
    } catch {
      // Without a line the form goes the plain way, and the browser says so.
      form.submit();
    }
  });
}

if (here) {
  for (const part of here.querySelectorAll("[data-with-script]")) part.hidden = false;
  for (const part of here.querySelectorAll("[data-without-script]")) part.hidden = true;
  here.querySelectorAll("[data-hold]").forEach(holdable);
  here.querySelectorAll("[data-safe]").forEach(safe);
  here.querySelector("[data-forget]")?.addEventListener("submit", () => {
    navigator.serviceWorker?.controller?.postMessage("forget");
    keep([]);
  });
  for (const event of ["online", "pageshow", "focus"]) addEventListener(event, () => kept().length && send());
  send();
  setTimeout(look, LOOK);
  navigator.serviceWorker?.register(here.dataset.worker, { scope: "/panic/" }).then(() => navigator.serviceWorker.ready).then((ready) => {
    const parts = [...document.querySelectorAll("link[rel=stylesheet], link[rel=icon], script[src]")].map((one) => one.href || one.src);
    const icons = [...document.querySelectorAll("use")].map((one) => new URL(one.getAttribute("href"), location.href).href.split("#")[0]);
    ready.active?.postMessage({ keep: [...new Set([location.origin + "/panic/", ...parts, ...icons])] });
  }).catch(() => {});
}
