// Keeps the page of the panic button on the phone, so that it opens without a line, and sends what was pressed meanwhile.
const PAGE = "panic-page-1";
const STORE = "panic-kept";
const PATIENCE = 3_000;
const says = { Accept: "application/json", "Content-Type": "application/json", "X-Havenmeester-Panic": "yes" };

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (e) => e.waitUntil(self.clients.claim()));

async function keep(addresses) {
  const store = await caches.open(PAGE);
  for (const address of addresses) {
    const answer = await fetch(address).catch(() => null);
    const isPage = new URL(address).pathname === "/panic/";
    if (answer?.ok && (!isPage || answer.headers.get("X-Havenmeester-Keep") === "yes")) await store.put(address, answer);
  }
}

self.addEventListener("message", (e) => {
  if (e.data === "forget") e.waitUntil(Promise.all([caches.delete(PAGE), caches.delete(STORE)]));
  else if (e.data.keep) e.waitUntil(keep(e.data.keep));
});

async function page(request) {
  const store = await caches.open(PAGE);
  const known = await store.match("/panic/");
  try {
    const answer = await fetch(request, known ? { signal: AbortSignal.timeout(PATIENCE) } : {});
    if (answer.ok && answer.headers.get("X-Havenmeester-Keep") === "yes") await store.put("/panic/", answer.clone());
    return answer.status >= 500 && known ? known : answer;
  } catch (error) {
    if (known) return known;
    throw error;
  }
}

self.addEventListener("fetch", (e) => {
  const { pathname } = new URL(e.request.url);
  if (e.request.method !== "GET") return;
  if (e.request.mode === "navigate" && pathname === "/panic/") e.respondWith(page(e.request));
  else if (pathname.startsWith("/static/")) e.respondWith(caches.match(e.request).then((found) => found || fetch(e.request)));
});

async function send() {
  const store = await caches.open(STORE);
  for (const request of await store.keys()) {
    const { id, at, exercise } = await (await store.match(request)).json();
    const body = JSON.stringify({ id, exercise, ago: Math.max(0, (Date.now() - at) / 1000) });
    const answer = await fetch("/panic/send", { method: "POST", headers: says, body });
    if (answer.status >= 500 || answer.status === 429) throw new Error(String(answer.status));
    await store.delete(request);
  }
}

self.addEventListener("sync", (e) => e.tag === "panic" && e.waitUntil(send()));
