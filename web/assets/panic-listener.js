// Asks every few seconds whether anything has changed, once for all pages of this browser. A worker, because the clock of a page
// that nobody looks at runs slowly.
const EVERY = 3_000;
const LOST_AFTER = 12_000;
const ports = new Set();
let address = "";
let heardAt = Date.now();
let asking = false;
let timer = null;

function tell(message) {
  for (const port of ports) port.postMessage(message);
}

async function ask() {
  if (asking || !address || !ports.size) return;
  asking = true;
  try {
    const answer = await fetch(address, { cache: "no-store", headers: { Accept: "application/json" }, signal: AbortSignal.timeout(10_000) });
    if (answer.status === 401 || answer.status === 403 || answer.redirected) tell({ kind: "out" });
    else if (answer.ok) {
      heardAt = Date.now();
      tell({ kind: "number", number: (await answer.text()).trim() });
    } else throw new Error(String(answer.status));
  } catch {
    if (Date.now() - heardAt >= LOST_AFTER) tell({ kind: "lost" });
  } finally {
    asking = false;
  }
}

// Whoever may come asks more often than whoever may only look.
function begin(every) {
  clearInterval(timer);
  timer = setInterval(ask, every);
}

function hear(port) {
  ports.add(port);
  port.onmessage = ({ data }) => {
    if (data.kind === "ask") {
      address = data.address;
      begin(data.every || EVERY);
      ask();
    }
    if (data.kind === "gone") ports.delete(port);
  };
}

self.onconnect = (e) => hear(e.ports[0]);
// In a browser without shared workers each page has one of its own.
if (typeof SharedWorkerGlobalScope === "undefined") hear(self);
