// A hand scanner is a keyboard that types faster than anybody, and ends with Enter or Tab. Where it types into the field,
// nothing is done here. Where it types into something else, the scan is taken out of there and offered.
import { desk, field, say } from "./desk-page.js";
import { focus } from "./desk-field.js";
import { send } from "./desk-line.js";

const FAST = 50; // milliseconds between two keys: people need more than that
const LEAST = 5; // characters; our shortest code has six

let burst = "";
let before = null; // the element, and what stood in it before the burst
let last = 0;
let offered = "";

const writes = (element) =>
  element instanceof HTMLTextAreaElement ||
  (element instanceof HTMLInputElement && ["text", "search", "email", "tel", "url", "number", "password"].includes(element.type));

function begin(target) {
  burst = "";
  before = { target, value: writes(target) ? target.value : "" };
}

document.addEventListener(
  "keydown",
  (e) => {
    if (!desk() || e.ctrlKey || e.altKey || e.metaKey || e.isComposing) return;
    if (document.activeElement?.closest("dialog[open]")) return;
    const fast = e.timeStamp - last < FAST;
    last = e.timeStamp;
    if (e.key.length === 1) {
      if (!fast || !before) begin(e.target);
      burst += e.key;
      // Keys pressed while nothing can be written anywhere go to the field.
      if (!writes(e.target) && !e.target.closest?.("select, summary") && e.key !== " ") focus();
      return;
    }
    if (e.key !== "Enter" && e.key !== "Tab") {
      if (e.key !== "Shift") before = null;
      return;
    }
    const code = burst;
    const place = before;
    before = null;
    burst = "";
    // Nothing that is on a label has a blank in it: whoever types that fast is typing.
  if (!fast || code.length < LEAST || !place || code.includes(" ")) return;
    take(e, code, place);
  },
  true,
);

function take(e, code, place) {
  const main = field();
  const here = document.activeElement;
  if (main && here === main) {
    const typed = place.target === main ? place.value : "";
    if (typed.trim() && main.value.endsWith(code)) alone(main.form, code);
    if (e.key === "Tab") {
      e.preventDefault();
      main.form.requestSubmit();
    }
    return;
  }
  if (!writes(here) || here.hasAttribute("data-takes-scans")) return;
  e.preventDefault();
  e.stopPropagation();
  if (place.target === here) {
    here.value = place.value;
    here.dispatchEvent(new Event("input", { bubbles: true }));
  }
  offer(code, here);
}

/** Somebody was typing here when the scanner went off: the server is told which part was scanned, should the whole mean nothing. */
function alone(form, code) {
  const input = form.querySelector("[name=scan]") || document.createElement("input");
  Object.assign(input, { type: "hidden", name: "scan", value: code });
  form.append(input);
}

function offer(code, here) {
  const box = document.querySelector("#desk [data-offer]");
  if (!box) return;
  offered = code;
  box.hidden = false;
  box.querySelector("[data-offer-says]").textContent = say("sayScan");
  box.querySelector("[data-offer-code]").textContent = code;
  box.scrollIntoView({ block: "nearest" });
  box.querySelector("[data-offer-write]").onclick = () => {
    here.setRangeText(code, here.selectionStart ?? here.value.length, here.selectionEnd ?? here.value.length, "end");
    here.dispatchEvent(new Event("input", { bubbles: true }));
    close();
    here.focus();
  };
  box.querySelector("[data-offer-use]").onclick = () => {
    close();
    const main = field();
    if (main && main.form.matches("[data-scan]")) {
      main.value = code;
      main.form.requestSubmit();
    } else send({ method: "get", address: new URL(`/desk?code=${encodeURIComponent(code)}`, location.href).href, entries: [], files: false });
  };
  box.querySelector("[data-offer-drop]").onclick = () => {
    close();
    here.focus();
  };
}

function close() {
  offered = "";
  document.querySelector("#desk [data-offer]").hidden = true;
}

// While a scan is offered, F2 uses it and Escape forgets it: nobody needs the mouse.
document.addEventListener("keydown", (e) => {
  if (!offered) return;
  if (e.key === "F2") document.querySelector("[data-offer-use]").click();
  if (e.key === "Escape") document.querySelector("[data-offer-drop]").click();
});

document.addEventListener("desk:settled", () => {
  offered = "";
});
