// The signature pad: strokes of points on a field of 1000 by 400, as numbers in a hidden input. No picture is sent. The
// draft of the form keeps them, so that a line that drops in the middle of a signature loses nothing of it.
import { onSettled } from "./desk-page.js";
import { focus } from "./desk-field.js";

const WIDTH = 1000;
const HEIGHT = 400;
const MOST_POINTS = 3_800;
const STEP = 5; // units that the pen must have moved to be a new point

function bound(value, most) {
  return Math.max(0, Math.min(most, Math.round(value)));
}

function strokesOf(input) {
  try {
    const found = JSON.parse(input.value || "[]");
    return Array.isArray(found) ? found : [];
  } catch {
    return [];
  }
}

function draw(pad) {
  const canvas = pad.querySelector("canvas");
  const box = canvas.getBoundingClientRect();
  if (!box.width) return;
  const scale = window.devicePixelRatio || 1;
  canvas.width = Math.round(box.width * scale);
  canvas.height = Math.round(box.height * scale);
  const pen = canvas.getContext("2d");
  pen.scale(canvas.width / WIDTH, canvas.height / HEIGHT);
  pen.lineWidth = 6;
  pen.lineCap = pen.lineJoin = "round";
  pen.strokeStyle = getComputedStyle(canvas).color;
  const strokes = strokesOf(pad.querySelector("[data-sign-strokes]"));
  for (const stroke of strokes) {
    pen.beginPath();
    stroke.forEach(([x, y], place) => (place ? pen.lineTo(x, y) : pen.moveTo(x, y)));
    if (stroke.length === 1) pen.lineTo(...stroke[0]);
    pen.stroke();
  }
  pad.classList.toggle("is-signed", strokes.length > 0);
}

function furnish(pad) {
  if (pad.dataset.ready) return draw(pad);
  pad.dataset.ready = "yes";
  const canvas = pad.querySelector("canvas");
  const input = pad.querySelector("[data-sign-strokes]");
  let strokes = [];
  let stroke = null;
  const write = () => {
    input.value = strokes.length ? JSON.stringify(strokes) : "";
    input.dispatchEvent(new Event("input", { bubbles: true }));
    draw(pad);
  };
  const point = (e) => {
    const box = canvas.getBoundingClientRect();
    return [
      bound(((e.clientX - box.left) / box.width) * WIDTH, WIDTH),
      bound(((e.clientY - box.top) / box.height) * HEIGHT, HEIGHT),
    ];
  };
  canvas.addEventListener("pointerdown", (e) => {
    e.preventDefault();
    canvas.setPointerCapture(e.pointerId);
    strokes = strokesOf(input);
    stroke = [point(e)];
    strokes.push(stroke);
    write();
  });
  canvas.addEventListener("pointermove", (e) => {
    if (!stroke) return;
    for (const one of e.getCoalescedEvents?.().length ? e.getCoalescedEvents() : [e]) {
      const [x, y] = point(one);
      const [a, b] = stroke.at(-1);
      if (Math.hypot(x - a, y - b) >= STEP && strokes.flat().length < MOST_POINTS) stroke.push([x, y]);
    }
    write();
  });
  for (const end of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(end, () => {
      if (!stroke) return;
      stroke = null;
      focus();
    });
  }
  pad.querySelector("[data-sign-clear]").addEventListener("click", () => {
    strokes = [];
    write();
    focus();
  });
  draw(pad);
}

function all() {
  for (const pad of document.querySelectorAll("[data-sign]")) {
    pad.hidden = false;
    furnish(pad);
  }
}

onSettled(all);
document.addEventListener("desk:restored", all);
addEventListener("resize", all);
