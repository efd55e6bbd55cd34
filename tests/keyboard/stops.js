// What somebody who only presses Tab finds out at a page. Installed once; each function looks at the page as it is now.
(() => {
  const CANDIDATES = "a[href], button, input, select, textarea, summary, iframe, audio[controls], video[controls], [tabindex], [contenteditable]";
  const INNER = ["date", "time", "datetime-local", "month", "week"];
  const named = (e) => e.outerHTML.replace(/\s+/g, " ").slice(0, 140);
  const seen = (e) => e.checkVisibility({ visibilityProperty: true, contentVisibilityAuto: true });

  // Where Tab stops, in the order of the page: of a group of radio buttons only the one that is chosen, else the first.
  function stops() {
    const groups = new Set();
    const all = [...document.querySelectorAll(CANDIDATES)].filter((e) => {
      if (e.tabIndex < 0 || e.disabled || !seen(e) || e.closest("[inert]") || e.matches("fieldset:disabled *")) return false;
      if (e.type === "hidden" || (e.tagName === "SUMMARY" && e.parentElement.querySelector("summary") !== e)) return false;
      return true;
    });
    const chosen = new Set(all.filter((e) => e.type === "radio" && e.checked).map((e) => `${e.form?.id}|${e.name}`));
    return all.filter((e) => {
      if (e.type !== "radio" || !e.name) return true;
      const group = `${e.form?.id}|${e.name}`;
      if (chosen.has(group)) return e.checked;
      if (groups.has(group)) return false;
      groups.add(group);
      return true;
    });
  }

  const rgba = (text) => {
    const canvas = rgba.canvas || (rgba.canvas = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true }));
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = text;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = (front, back) => [0, 1, 2].map((i) => front[i] * front[3] + back[i] * (1 - front[3])).concat(1);
  // What is painted behind an element: the backgrounds of itself and those around it, laid over each other.
  function behind(e) {
    const layers = [];
    for (let one = e; one; one = one.parentElement) {
      const colour = rgba(getComputedStyle(one).backgroundColor);
      if (colour[3]) layers.push(colour);
      if (colour[3] === 1) break;
    }
    const bare = matchMedia("(prefers-color-scheme: dark)").matches && getComputedStyle(document.documentElement).colorScheme.includes("dark") ? [18, 18, 18, 1] : [255, 255, 255, 1];
    return layers.reduceRight((back, front) => over(front, back), bare);
  }
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)).reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const contrast = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05); };

  // The parts on which a focus may show: the element, its label (of a hidden box), what is around it.
  const shown = (e) => [e, ...(e.labels || []), e.parentElement].filter(Boolean);
  function ring(e) {
    let best = 0;
    for (const one of shown(e)) {
      const style = getComputedStyle(one);
      if (style.outlineStyle === "none" || parseFloat(style.outlineWidth) < 1) continue;
      const inside = parseFloat(style.outlineOffset) < 0;
      const back = behind(inside ? one : one.parentElement || one);
      best = Math.max(best, contrast(over(rgba(style.outlineColor), back), back));
    }
    return best;
  }

  // Whether anything of it can be seen: a point of it that is not beneath something else.
  function covered(e) {
    const parts = [e, ...(e.labels || [])];
    let most = 0, whole = 0, by = null;
    for (const box of [...e.getClientRects()].filter((b) => b.width > 0 && b.height > 0)) {
      for (const x of [0.1, 0.5, 0.9]) for (const y of [0.15, 0.5, 0.85]) {
        const [left, top] = [box.left + box.width * x, box.top + box.height * y];
        const hit = document.elementFromPoint(left, top);
        // What lies below the fold of something tall is no bar over it.
        if (!hit && e.getBoundingClientRect().height > 100) continue;
        whole += 1;
        if (hit && parts.some((part) => part === hit || part.contains(hit) || (hit.contains(part) && hit !== document.documentElement && getComputedStyle(part).pointerEvents === "none"))) most += 1;
        else by = hit;
      }
    }
    return { seen: whole ? most / whole : 0, by: by && named(by), box: JSON.stringify(e.getBoundingClientRect()) };
  }

  // The pane within the page that it is scrolled in: from outside, it lies where its pane does.
  function scrolled(e) {
    for (const one of ancestors(e.parentElement)) if (/auto|scroll/.test(getComputedStyle(one).overflowY) && one.scrollHeight > one.clientHeight) return one;
    return null;
  }

  function* ancestors(e) {
    for (let one = e; one && one.tagName !== "MAIN"; one = one.parentElement) yield one;
  }

  const walk = {
    list: [],
    begin() {
      walk.list = stops();
      document.activeElement?.blur();
      const wrong = [];
      for (const e of walk.list) if (e.tabIndex > 0) wrong.push(`a tab order of its own: ${named(e)}`);
      return [walk.list.length, wrong];
    },
    // The same, and from now on each stop notes itself when the key comes up: its focus has been moved and scrolled to by then.
    note() {
      const [count, wrong] = walk.begin();
      const inner = walk.list.filter((e) => INNER.includes(e.type) || e.matches("audio, video, iframe")).length;
      walk.notes = [];
      walk.noting ||= addEventListener("keyup", () => walk.notes.push(walk.here()), { capture: true }) || true;
      return [count, 8 * inner, wrong.concat(walk.order())];
    },
    noted: () => walk.notes.splice(0),
    // Where the reading goes: whoever follows the page with the eyes must not be thrown back.
    order() {
      scrollTo(0, 0);
      const wrong = [];
      const rtl = document.dir === "rtl" || getComputedStyle(document.body).direction === "rtl";
      // What is placed apart from the flow, as a box in the corner of a card, has no place in the reading.
      const apart = (e) => [...ancestors(e)].some((one) => ["absolute", "fixed", "sticky"].includes(getComputedStyle(one).position));
      const inside = walk.list.filter((e) => e.closest("main") && !apart(e)).map((e) => {
        const box = (e.labels?.[0] && e.getBoundingClientRect().width < 3 ? e.labels[0] : e).getBoundingClientRect();
        return { e, box, pane: scrolled(e) };
      }).filter(({ box }) => box.width > 2 && box.height > 2);
      for (let i = 1; i < inside.length; i += 1) {
        const [a, b] = [inside[i - 1], inside[i]].map((one, i, both) => ({ ...one, box: both[0].pane === both[1].pane || !one.pane ? one.box : one.pane.getBoundingClientRect() }));
        const across = Math.min(a.box.right, b.box.right) - Math.max(a.box.left, b.box.left);
        const down = Math.min(a.box.bottom, b.box.bottom) - Math.max(a.box.top, b.box.top);
        const up = b.box.bottom <= a.box.top + 1 && across > 0.5 * Math.min(a.box.width, b.box.width);
        const back = down > 0.5 * Math.min(a.box.height, b.box.height) && (rtl ? b.box.left >= a.box.right - 1 : b.box.right <= a.box.left + 1);
        if (up || back) wrong.push(`goes ${up ? "up" : "back"} from ${named(a.e)} to ${named(b.e)}`);
      }
      return wrong;
    },
    // What is wrong where the focus is now; "number" is its place in the list, -1 for the page itself, -2 for something unlisted.
    here() {
      const e = document.activeElement;
      if (!e || e === document.body || e === document.documentElement) return { number: -1, wrong: [] };
      const wrong = [];
      const found = covered(e);
      if (!seen(e)) wrong.push(`an invisible stop: ${named(e)}`);
      else if (found.seen === 0) wrong.push(`hidden while it has the focus, beneath ${found.by} ${found.box}: ${named(e)}`);
      else if (found.seen < 0.4) wrong.push(`mostly hidden while it has the focus, beneath ${found.by} ${found.box}: ${named(e)}`);
      const strength = ring(e);
      if (strength < 3) wrong.push(`a ring that nobody sees (${strength.toFixed(1)} to 1): ${named(e)}`);
      const number = walk.list.indexOf(e);
      return { number: number < 0 ? -2 : number, inner: INNER.includes(e.type) || e.matches("audio, video, iframe"), what: named(e), wrong };
    },
    names: (numbers) => numbers.map((i) => named(walk.list[i])),
    missed: (numbers) => walk.list.filter((e, i) => !numbers.includes(i) && seen(e)).map(named),
  };
  window.hmWalk = walk;
})();
