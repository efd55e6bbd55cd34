// The page that waits: looks every few seconds, shows what changed, and goes on when the device is ready.
const EVERY = 4000;

async function look() {
  const here = document.querySelector("[data-waits]");
  if (!here) return;
  try {
    const answer = await fetch(location.href, { credentials: "same-origin" });
    if (answer.ok && !answer.redirected) {
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const there = page.querySelector("[data-waits]");
      if (!there) {
        location.reload();
        return;
      }
      if (there.innerHTML !== here.innerHTML) here.innerHTML = there.innerHTML;
    }
  } catch {
    // The line is gone for a moment: the next look may find it again.
  }
  setTimeout(look, EVERY);
}

setTimeout(look, EVERY);
