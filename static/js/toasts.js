// Messages about what was done lie above the page: said to screen readers, closed by a button, and by themselves when
// they tell of a success that nobody looks at.

const SHOWN_MS = 8_000;

for (const toast of document.querySelectorAll("#toasts .note")) {
  const close = () => toast.remove();
  toast.querySelector("button")?.addEventListener("click", close);
  if (!toast.matches(".note-success, .note-info")) continue;
  let timer = setTimeout(close, SHOWN_MS);
  const hold = () => clearTimeout(timer);
  const release = () => { timer = setTimeout(close, SHOWN_MS); };
  toast.addEventListener("pointerenter", hold);
  toast.addEventListener("focusin", hold);
  toast.addEventListener("pointerleave", release);
  toast.addEventListener("focusout", release);
}

// A live region is heard when it changes, not for what was there from the start.
const texts = [...document.querySelectorAll("#toasts .note p")].map((text) => text.textContent.trim());
if (texts.length) setTimeout(() => { document.getElementById("said").textContent = texts.join(" "); }, 200);
