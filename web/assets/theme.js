// Runs before the first paint: the page must not flash in the wrong theme. "auto" follows the system, also later.
const root = document.documentElement;
const system = window.matchMedia("(prefers-color-scheme: dark)");

function paint() {
  const wanted = root.dataset.theme;
  const dark = wanted === "dark" || (wanted !== "light" && system.matches);
  root.setAttribute("data-bs-theme", dark ? "dark" : "light");
}

system.addEventListener("change", paint);
paint();
