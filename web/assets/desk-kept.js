// One request that could not be sent, per window, in IndexedDB: photographs and signatures as well. Gone when it was sent,
// when somebody says so, and after half a day.
const LIFE = 12 * 3_600_000;
const NAME = "havenmeester-desk";

function number() {
  let found = sessionStorage.getItem("desk-window");
  if (!found) sessionStorage.setItem("desk-window", (found = crypto.randomUUID()));
  return found;
}

function open() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => request.result.createObjectStore("kept");
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

async function within(mode, work) {
  let base;
  try {
    base = await open();
  } catch {
    return undefined; // A browser that keeps nothing: what is entered stays on the page itself.
  }
  return new Promise((resolve) => {
    const transaction = base.transaction("kept", mode);
    const request = work(transaction.objectStore("kept"));
    transaction.oncomplete = () => resolve(request.result);
    transaction.onabort = () => resolve(undefined);
    transaction.onerror = () => resolve(undefined);
  }).finally(() => base.close());
}

export function keep(request) {
  return within("readwrite", (store) => store.put(request, number()));
}

export function forget() {
  return within("readwrite", (store) => store.delete(number()));
}

export async function kept() {
  // What other windows left behind and nobody will send any more.
  const every = await within("readonly", (store) => store.getAll());
  const keys = await within("readonly", (store) => store.getAllKeys());
  for (const [place, one] of (every || []).entries()) {
    if (Date.now() - one.at > LIFE) await within("readwrite", (store) => store.delete(keys[place]));
  }
  return within("readonly", (store) => store.get(number()));
}
