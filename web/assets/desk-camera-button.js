// The camera's button. The reader of barcodes is fetched when somebody opens the camera for the first time, and not before.
import { desk, onSettled, say } from "./desk-page.js";
import { focus } from "./desk-field.js";
import { sound } from "./desk-sound.js";

let stop = null;

onSettled(() => {
  stop?.();
  stop = null;
  for (const button of document.querySelectorAll("[data-camera]")) button.hidden = !navigator.mediaDevices?.getUserMedia;
});

function script() {
  return new Promise((resolve, reject) => {
    if (window.deskCamera) return resolve();
    const element = document.createElement("script");
    element.src = desk().dataset.cameraScript;
    element.onload = resolve;
    element.onerror = reject;
    document.head.append(element);
  });
}

async function open(form) {
  const box = form.querySelector("[data-camera-box]");
  const says = box.querySelector("[data-camera-says]");
  says.textContent = "";
  box.hidden = false;
  try {
    await script();
    stop = await window.deskCamera(box.querySelector("video"), desk().dataset.cameraReader, (code) => {
      shut(form);
      sound("good");
      form.elements.code.value = code;
      form.requestSubmit();
    });
  } catch {
    says.textContent = say("sayCamera");
  }
}

function shut(form) {
  stop?.();
  stop = null;
  form.querySelector("[data-camera-box]").hidden = true;
  focus();
}

document.addEventListener("click", (e) => {
  const target = e.target instanceof Element ? e.target : null;
  const form = target?.closest("form[data-scan]");
  if (target?.closest("[data-camera]")) form.querySelector("[data-camera-box]").hidden ? open(form) : shut(form);
  if (target?.closest("[data-camera-stop]")) shut(form);
});
