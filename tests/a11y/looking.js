// What a browser sees of a page. Every function of `hm` gives sentences about what is wrong; none when nothing is.
window.hm = (() => {
  const root = document.documentElement;
  const told = (what, element) => what + (element ? ": " + element.outerHTML.replace(/\s+/g, " ").slice(0, 180) : "");
  const shown = (one) => one.checkVisibility({ visibilityProperty: true });
  const all = (selector, within = document) => [...within.querySelectorAll(selector)].filter(shown);
  const unseen = (one) => one.closest(".visually-hidden, .unseen, .hm-skip, .skip") !== null;
  const text = (one) => [...one.childNodes].some((each) => each.nodeType === Node.TEXT_NODE && each.textContent.trim());
  const REACHED = "a[href], button, input, select, textarea, summary, [tabindex='0']";

  async function axeFinds(rules) {
    scrollTo(0, 0);
    const only = rules
      ? { runOnly: { type: "rule", values: rules } }
      : { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"], rules: { "target-size": { enabled: true } } };
    const result = await axe.run(document, { ...only, resultTypes: ["violations"], preload: false, elementRef: true });
    return result.violations.map((one) => `${one.id} (${one.nodes.length}): ${one.nodes[0].html.slice(0, 200)}`);
  }

  function structure() {
    const found = [];
    if (!root.lang) found.push("no language");
    if ((root.lang === "ar") !== (getComputedStyle(document.body).direction === "rtl")) found.push("the wrong direction");
    if (!document.title.split("·")[0].trim()) found.push("no title");
    let before = 0;
    const headings = all("h1, h2, h3, h4, h5, h6", document.querySelector("main") || document.body);
    const first = headings.filter((one) => one.tagName === "H1").length;
    if (first !== 1) found.push(`${first} headings of level 1`);
    for (const heading of headings) {
      const level = Number(heading.tagName[1]);
      if (level > before + 1) found.push(told(`level ${level} after ${before}`, heading));
      before = level;
    }
    for (const table of document.querySelectorAll("main table")) {
      const named = table.caption?.textContent.trim() || table.ariaLabel || table.getAttribute("aria-labelledby");
      if (!named) found.push(told("a table without a caption", table));
      if (!table.querySelector("th")) found.push(told("a table without headers", table));
    }
    for (const drawing of all("svg:not([aria-hidden=true])").filter((one) => !one.closest("[aria-hidden=true], svg svg"))) {
      const named = drawing.ariaLabel || drawing.getAttribute("aria-labelledby") || drawing.querySelector("title");
      if (!["img", "group"].includes(drawing.getAttribute("role")) || !named) found.push(told("a drawing that is neither named nor hidden", drawing));
    }
    for (const chart of document.querySelectorAll("[data-chart]"))
      if (!chart.parentElement.querySelector("table")) found.push(told("a chart without a table", chart));
    for (const field of document.querySelectorAll("[aria-invalid=true], .is-invalid")) {
      const about = (field.getAttribute("aria-describedby") || "").split(" ").map((id) => document.getElementById(id));
      if (!about.some((one) => one && one.textContent.trim())) found.push(told("an error that is not tied to its field", field));
    }
    for (const field of document.querySelectorAll("input[type=password], input[type=email], input[type=tel]"))
      if (!field.autocomplete && !field.hasAttribute("autocomplete")) found.push(told("a field that does not say what belongs in it", field));
    return found;
  }

  function spread() {
    const found = [];
    if (root.scrollWidth > root.clientWidth) {
      const out = (one) => one.getBoundingClientRect().right > root.clientWidth + 1 || one.getBoundingClientRect().left < -1;
      const held = (one) => {
        for (let up = one.parentElement; up; up = up.parentElement) if (/auto|scroll|hidden|clip/.test(getComputedStyle(up).overflowX)) return true;
        return false;
      };
      const wide = all("main *").find((one) => out(one) && !held(one)) || all("body *").find(out);
      found.push(told(`scrolls ${root.scrollWidth - root.clientWidth} pixels sideways`, wide));
    }
    for (const one of all("body *")) {
      if (one.closest("svg") || unseen(one) || !text(one) || one.matches("option, textarea, select, script, style")) continue;
      const style = getComputedStyle(one);
      if (style.display === "inline" || one.clientWidth < 2) continue;
      const hides = (way) => way === "hidden" || way === "clip";
      if (hides(style.overflowX) && one.scrollWidth > one.clientWidth + 1 && !one.title && !one.closest("[title]")) found.push(told("text that is cut", one));
      if (hides(style.overflowY) && one.scrollHeight > one.clientHeight + 3) found.push(told("text that is cut below", one));
      if (one.matches("button, .btn, .badge, .hm-badge") && one.scrollWidth > one.clientWidth + 2) found.push(told("text that runs out of its button", one));
    }
    return found;
  }

  function rings() {
    const found = [];
    for (const one of all(REACHED)) {
      if (one.disabled) continue;
      const box = one.getBoundingClientRect();
      if (box.width < 2 || box.height < 2) continue;
      one.focus({ focusVisible: true });
      if (document.activeElement !== one) continue;
      const styles = [one, one.parentElement, ...(one.labels || [])].map((each) => getComputedStyle(each));
      const ring = (style) => (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== "none";
      if (!styles.some(ring)) found.push(told("no ring around", one));
      one.scrollIntoView({ block: "nearest", inline: "nearest" });
      const [line] = one.getClientRects();
      const on = document.elementFromPoint(line.x + line.width / 2, line.y + line.height / 2);
      if (on && !one.contains(on) && !on.contains(one) && ![...(one.labels || [])].some((label) => label.contains(on)))
        found.push(told(`under ${on.tagName.toLowerCase()}.${on.className}`, one));
    }
    document.activeElement?.blur();
    return found;
  }

  // How much of the window the bars that stick leave to what one reads, in the middle of the page.
  function room() {
    scrollTo(0, root.scrollHeight / 2);
    const rows = [...Array(20).keys()].map((row) => ((row + 0.5) / 20) * innerHeight);
    const stuck = (one) => one && !one.closest("main") && /sticky|fixed/.test(getComputedStyle(one).position);
    const under = (one) => one && (stuck(one) || under(one.parentElement));
    const covered = rows.filter((row) => under(document.elementFromPoint(innerWidth / 2, row))).length / rows.length;
    return covered > 0.6 ? [`bars cover ${Math.round(100 * covered)} % of the window`] : [];
  }

  function still() {
    const running = document.getAnimations().filter((one) => one.playState === "running" && one.effect?.getComputedTiming().duration > 20);
    return running.map((one) => told("something that moves", one.effect.target));
  }

  // What a form answers leads whoever cannot see it to what is wrong.
  function led() {
    const on = document.activeElement;
    const wrong = document.querySelector("[aria-invalid=true], main [role=alert]:not([hidden])");
    return !wrong || (on && on !== document.body) ? [] : ["an answer that nobody is led to"];
  }

  async function dark() {
    // The script of the theme hears of it a moment later.
    for (let wait = 0; wait < 100 && root.dataset.bsTheme === "light"; wait++) await new Promise((done) => setTimeout(done, 20));
    const colour = getComputedStyle(document.body).backgroundColor.match(/[\d.]+/g).map(Number);
    return colour.slice(0, 3).reduce((sum, one) => sum + one, 0) < 3 * 90 ? [] : [`light in the dark: ${colour}`];
  }

  // What is drawn by a script hears of it as it does of another width.
  async function large() {
    root.style.fontSize = "200%";
    dispatchEvent(new Event("resize"));
    await new Promise((done) => setTimeout(() => requestAnimationFrame(done), 150));
  }

  function apart(on) {
    document.getElementById("hm-apart")?.remove();
    if (!on) return;
    const style = document.createElement("style");
    style.id = "hm-apart";
    style.textContent = "* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important } p { margin-bottom: 2em !important }";
    document.head.append(style);
  }

  // The page `number` as it came, before its scripts run, in the place of the one that is here: nothing is loaded or compiled anew.
  async function swap(number) {
    const fresh = new DOMParser().parseFromString(await (await fetch(`/-/${number}`)).text(), "text/html");
    const sheets = (page) => [...page.querySelectorAll("link[rel=stylesheet]")];
    const named = (page) => sheets(page).map((one) => one.getAttribute("href")).join();
    if (named(fresh) !== named(document)) {
      sheets(document).forEach((one) => one.remove());
      const added = sheets(fresh).map((one) => document.importNode(one));
      const loaded = added.map((one) => new Promise((done) => (one.onload = one.onerror = done)));
      document.head.append(...added);
      await Promise.all(loaded);
    }
    for (const one of [...root.attributes]) root.removeAttribute(one.name);
    for (const one of fresh.documentElement.attributes) root.setAttribute(one.name, one.value);
    document.title = fresh.title;
    document.body.replaceWith(document.importNode(fresh.body, true));
    scrollTo(0, 0);
  }

  return { axeFinds, structure, spread, rings, room, still, led, dark, large, apart, swap };
})();
