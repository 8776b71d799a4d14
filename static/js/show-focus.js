// What gets the focus by the keyboard is scrolled into view as a whole, clear of the bar and of what else stays on the
// page (WCAG 2.4.11; scroll-padding in static/css/frame.css). Browsers stop when a part of it is seen, or ignore the padding.

let byKeyboard = false;

document.addEventListener("keydown", (event) => { byKeyboard = event.key === "Tab"; }, true);
document.addEventListener("pointerdown", () => { byKeyboard = false; }, true);
document.addEventListener("focusin", ({ target }) => {
  if (!byKeyboard) return;
  const show = () => target.scrollIntoView({ block: "nearest", inline: "nearest" });
  show();
  requestAnimationFrame(show); // WebKit scrolls by itself after this event
});
