// A short high tone when something was taken, a low double one when not: eyes stay on the box. Can be switched off.
import { onSettled } from "./desk-page.js";

const SILENT = "desk-silent";
let context = null;

const silent = () => localStorage.getItem(SILENT) === "yes";

function tone(frequency, start, length) {
  const oscillator = context.createOscillator();
  const volume = context.createGain();
  oscillator.frequency.value = frequency;
  volume.gain.setValueAtTime(0.0001, context.currentTime + start);
  volume.gain.exponentialRampToValueAtTime(0.25, context.currentTime + start + 0.01);
  volume.gain.exponentialRampToValueAtTime(0.0001, context.currentTime + start + length);
  oscillator.connect(volume).connect(context.destination);
  oscillator.start(context.currentTime + start);
  oscillator.stop(context.currentTime + start + length);
}

export function sound(kind) {
  if (silent() || !window.AudioContext) return;
  context ||= new AudioContext();
  context.resume();
  if (kind === "good") tone(1320, 0, 0.09);
  else [0, 0.18].forEach((start) => tone(220, start, 0.14));
  document.documentElement.dataset.sounded = kind;
}

function draw() {
  for (const button of document.querySelectorAll("[data-sound-toggle]")) {
    button.hidden = !window.AudioContext;
    button.setAttribute("aria-pressed", String(!silent()));
    button.querySelector("[data-sound-on]").hidden = silent();
    button.querySelector("[data-sound-off]").hidden = !silent();
  }
}

document.addEventListener("click", (e) => {
  if (!(e.target instanceof Element) || !e.target.closest("[data-sound-toggle]")) return;
  localStorage.setItem(SILENT, silent() ? "no" : "yes");
  draw();
  if (!silent()) sound("good");
});

let first = true;
onSettled(() => {
  draw();
  const found = document.querySelector('#desk [data-sound="bad"]') || document.querySelector("#desk [data-sound]");
  // A browser is silent until somebody has touched the page: a page that is opened plays nothing.
  if (found && !first) sound(found.dataset.sound);
  first = false;
});
