// Small behaviours that pages switch on by data attributes. Every page works without them, only less comfortably.

function on(event, selector, handler) {
  document.addEventListener(event, (e) => {
    const element = e.target instanceof Element && e.target.closest(selector);
    if (element) handler(element, e);
  });
}

// Navigation on small screens
on("click", "[data-side-toggle]", (button) => {
  const side = document.querySelector(".hm-side");
  const open = side.classList.toggle("is-open");
  button.setAttribute("aria-expanded", String(open));
  if (open) side.querySelector("a").focus();
});
document.addEventListener("keydown", (e) => {
  const side = document.querySelector(".hm-side.is-open");
  if (e.key === "Escape" && side) {
    side.classList.remove("is-open");
    const button = document.querySelector("[data-side-toggle]");
    button.setAttribute("aria-expanded", "false");
    button.focus();
  }
  // A part that unfolds over the page is folded by Escape, as a menu is.
  const over = e.key === "Escape" && e.target.closest?.("details[data-over][open]");
  if (over) {
    over.open = false;
    over.querySelector("summary").focus();
  }
  // "/" goes to the search field, as people know it from other tools.
  if (e.key === "/" && !e.target.closest("input, textarea, select, [contenteditable]")) {
    const search = document.querySelector("#search");
    if (search) {
      e.preventDefault();
      search.focus();
    }
  }
});

// How far the bars that stick to the top reach down: what gets the focus is scrolled to below them.
const bars = [...document.querySelectorAll(".hm-top, .hm-panic, .hm-banner")];
const sifts = [...document.querySelectorAll(".hm-sift")];
function down(stuck) {
  const found = stuck.map((bar) => [getComputedStyle(bar), bar.offsetHeight]).filter(([style, height]) => style.position === "sticky" && height);
  return Math.max(0, ...found.map(([style, height]) => parseFloat(style.top) + height));
}
const reach = new ResizeObserver(() => {
  // What sticks sticks below what is above it: large letters make the first bar higher, a call for help the second.
  document.documentElement.style.setProperty("--hm-bar", `${down(bars.filter((bar) => bar.matches(".hm-top")))}px`);
  document.documentElement.style.setProperty("--hm-top", `${down(bars)}px`);
  document.documentElement.style.setProperty("--hm-over", `${Math.max(down(bars), down(sifts))}px`);
});
for (const bar of [...bars, ...sifts]) reach.observe(bar);

// Whoever comes to something in a place that is moved sideways, or to a field of several lines, sees all of it; a browser is
// content with a part.
document.addEventListener("focusin", ({ target }) => {
  if (target.matches(":focus-visible") && (target.matches("textarea") || target.parentElement?.closest(".hm-scroll, .hm-tabs"))) target.scrollIntoView({ block: "nearest", inline: "nearest" });
});

// A table that is wider than its place is moved by the arrow keys, and says what it is to whoever comes to it.
const wide = new ResizeObserver((entries) => {
  for (const { target: pane } of entries) {
    const named = pane.querySelector("caption") || pane.closest(".card, section")?.querySelector("h2, h3") || document.querySelector("h1");
    const given = { tabindex: "0", role: "region", "aria-label": named?.textContent.trim() };
    const moves = pane.scrollWidth > pane.clientWidth;
    for (const [name, value] of Object.entries(given)) moves ? pane.setAttribute(name, value) : pane.removeAttribute(name);
  }
});
for (const pane of document.querySelectorAll(".hm-scroll:not([tabindex])")) wide.observe(pane);

// Dialogs: <button data-dialog="id">
on("click", "[data-dialog]", (button) => document.getElementById(button.dataset.dialog).showModal());
on("click", "[data-close]", (button) => button.closest("dialog").close());
for (const dialog of document.querySelectorAll("dialog[data-open]")) dialog.showModal();

// Printing what is on the page
on("click", "[data-print]", () => print());

// Copying a command
on("click", "[data-copy]", async (button) => {
  const text = document.querySelector(button.dataset.copy).textContent.trim();
  await navigator.clipboard.writeText(text);
  const label = button.querySelector("[data-copy-label]");
  const before = label.textContent;
  label.textContent = button.dataset.copied;
  setTimeout(() => (label.textContent = before), 2000);
});

// Choosing rows of a list
function selection(form) {
  const boxes = [...form.querySelectorAll("input[data-row]")];
  const chosen = boxes.filter((box) => box.checked).length;
  form.classList.toggle("has-selection", chosen > 0);
  for (const place of form.querySelectorAll("[data-chosen]")) place.textContent = String(chosen);
  const all = form.querySelector("input[data-all]");
  if (all) {
    all.checked = chosen > 0 && chosen === boxes.length;
    all.indeterminate = chosen > 0 && chosen < boxes.length;
  }
  const everything = form.querySelector("[data-everything]");
  if (everything && chosen < boxes.length) everything.querySelector("input").checked = false;
  if (everything) everything.hidden = chosen < boxes.length;
}
on("change", "input[data-row], input[data-all]", (box) => {
  const form = box.closest("form");
  if (box.matches("[data-all]")) {
    for (const other of form.querySelectorAll("input[data-row]")) other.checked = box.checked;
  }
  selection(form);
});
for (const form of document.querySelectorAll("form[data-list]")) selection(form);

// A form that is sent as soon as a choice changes
on("change", "[data-submit]", (element) => element.form.requestSubmit());

// Typed confirmation: the button wakes when the text is right
on("input", "[data-must-be]", (input) => {
  const button = document.getElementById(input.dataset.wakes);
  button.disabled = input.value.trim() !== input.dataset.mustBe;
});

// Looking through settings
function sift(root) {
  const words = (root.querySelector("[data-sift-words]")?.value || "").toLowerCase().split(/\s+/).filter(Boolean);
  const changed = root.querySelector("[data-sift-set]")?.checked;
  let shown = 0;
  for (const row of root.querySelectorAll("[data-sift]")) {
    const fits = words.every((word) => row.dataset.sift.includes(word)) && (!changed || row.classList.contains("is-set"));
    row.hidden = !fits;
    shown += fits ? 1 : 0;
  }
  for (const group of root.querySelectorAll("[data-sift-group]")) {
    group.hidden = !group.querySelector("[data-sift]:not([hidden])");
  }
  const none = root.querySelector("[data-sift-none]");
  if (none) none.hidden = shown > 0;
}
on("input", "[data-sift-words]", (input) => sift(input.closest("[data-sift-root]")));
on("change", "[data-sift-set]", (input) => sift(input.closest("[data-sift-root]")));
on("input", "[data-setting] input, [data-setting] select, [data-setting] textarea", (input) => {
  const row = input.closest("[data-setting]");
  const filled = [...row.querySelectorAll("input, select, textarea")].some((field) =>
    field.type === "checkbox" || field.type === "radio" ? field.checked : field.value.trim() !== "",
  );
  row.classList.toggle("is-set", filled);
});

// A list of places on the page marks the one that is being read
for (const nav of document.querySelectorAll("[data-spy]")) {
  const links = new Map();
  for (const link of nav.querySelectorAll('a[href^="#"]')) {
    const place = document.getElementById(decodeURIComponent(link.hash.slice(1)));
    if (place) links.set(place, link);
  }
  const mark = () => {
    const shown = [...links.keys()].filter((place) => !place.hidden);
    const passed = shown.filter((place) => place.getBoundingClientRect().top < 180);
    const atEnd = innerHeight + scrollY >= document.documentElement.scrollHeight - 2 && scrollY > 0;
    const now = atEnd ? shown.at(-1) : passed.at(-1) || shown[0];
    for (const [place, link] of links) {
      if (place === now) link.setAttribute("aria-current", "location");
      else link.removeAttribute("aria-current");
    }
  };
  addEventListener("scroll", mark, { passive: true });
  mark();
}

// Counting down to a moment, by the server's clock: whatever the browser's own clock says
for (const place of document.querySelectorAll("[data-countdown]")) {
  const until = Date.parse(place.dataset.countdown);
  const ahead = Date.parse(place.dataset.now) - performance.timeOrigin - performance.now();
  const two = (number) => String(number).padStart(2, "0");
  const tick = () => {
    const left = Math.max(0, Math.round((until - (performance.timeOrigin + performance.now() + ahead)) / 1000));
    const hours = Math.floor(left / 3600);
    const rest = `${two(Math.floor(left / 60) % 60)}:${two(left % 60)}`;
    place.textContent = left ? (hours ? `${hours}:${rest}` : rest) : place.dataset.passed;
    if (!left) clearInterval(timer);
  };
  const timer = setInterval(tick, 1000);
  tick();
}

// A part that a link leads into is unfolded, and paper has everything.
function unfold() {
  const part = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const folded = part && part.closest("details");
  if (folded && !folded.open) {
    folded.open = true;
    folded.querySelector("summary").focus();
    folded.scrollIntoView();
  }
}
addEventListener("hashchange", unfold);
unfold();
addEventListener("beforeprint", () => {
  for (const one of document.querySelectorAll("details[data-print]")) one.open = true;
});
