async (focus) => {
  const found = [];
  const wrong = (what, element) => found.push(what + (element ? ": " + element.outerHTML.slice(0, 160) : ""));
  const result = await axe.run(document, {
    runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
    rules: { "target-size": { enabled: true } },
    resultTypes: ["violations"],
  });
  for (const one of result.violations) found.push(`${one.id} (${one.nodes.length}): ${one.nodes[0].html.slice(0, 200)}`);
  const root = document.documentElement;
  if (root.scrollWidth > root.clientWidth) {
    const wide = [...document.querySelectorAll("main *")].find((one) => one.getBoundingClientRect().right > root.clientWidth + 1);
    wrong(`scrolls ${root.scrollWidth - root.clientWidth} pixels sideways`, wide);
  }
  if (!root.lang) wrong("no language");
  if (!document.title.split("·")[0].trim()) wrong("no title");
  let before = 0;
  const headings = [...document.querySelectorAll("main h1, main h2, main h3, main h4, main h5, main h6")].filter((one) => one.checkVisibility());
  if (headings.filter((one) => one.tagName === "H1").length !== 1) wrong(`${headings.filter((one) => one.tagName === "H1").length} headings of level 1`);
  for (const heading of headings) {
    const level = Number(heading.tagName[1]);
    if (level > before + 1) wrong(`level ${level} after ${before}`, heading);
    before = level;
  }
  for (const field of document.querySelectorAll("[aria-invalid=true], .is-invalid")) {
    const about = (field.getAttribute("aria-describedby") || "").split(" ").map((id) => document.getElementById(id));
    if (!about.some((one) => one && one.textContent.trim())) wrong("an error that is not tied to its field", field);
  }
  if (!focus) return found;
  for (const one of document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']")) {
    if (one.disabled || !one.checkVisibility({ visibilityProperty: true, opacityProperty: false })) continue;
    const box = one.getBoundingClientRect();
    if (box.width < 2 || box.height < 2) continue;
    one.focus({ focusVisible: true });
    if (document.activeElement !== one) continue;
    const styles = [one, one.parentElement, ...(one.labels || [])].map((each) => getComputedStyle(each));
    const ring = (style) => (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== "none";
    if (!styles.some(ring)) wrong("no ring around", one);
  }
  return found;
}
