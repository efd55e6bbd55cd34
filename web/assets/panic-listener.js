// Asks every few seconds whether anything has changed, once for all pages of this browser. A worker, because the clock of a page
// that nobody looks at runs slowly.
const EVERY = 3_000;
const LOST_AFTER = 4;
const ports = new Set();
let address = "";
let failed = 0;
let asking = false;

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
      failed = 0;
      tell({ kind: "number", number: (await answer.text()).trim() });
    } else throw new Error(String(answer.status));
  } catch {
    failed += 1;
    if (failed >= LOST_AFTER) tell({ kind: "lost" });
  } finally {
    asking = false;
  }
}

function hear(port) {
  ports.add(port);
  port.onmessage = ({ data }) => {
    if (data.kind === "ask") {
      address = data.address;
      ask();
    }
    if (data.kind === "gone") ports.delete(port);
  };
}

self.onconnect = (e) => hear(e.ports[0]);
// In a browser without shared workers each page has one of its own.
if (typeof SharedWorkerGlobalScope === "undefined") hear(self);
setInterval(ask, EVERY);
