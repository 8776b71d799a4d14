// Single keys: "/" leads to the page's search field, "?" shows the keys, "g s" and the like lead to a page.
//
// None while somebody types, and none where the person has switched them off (WCAG 2.1.4).

const JUMP_MS = 1_500; // between "g" and the letter
const keys = document.getElementById("keys");
let jumpUntil = 0;

const actsOn = (event) => !event.ctrlKey && !event.metaKey && !event.altKey && !event.isComposing
  && !event.target.closest("input, textarea, select, [contenteditable], dialog[open]");

function jump(letter) {
  keys?.querySelector(`[data-go="${CSS.escape(letter)}"]`)?.click();
}

document.addEventListener("keydown", (event) => {
  if (keys?.dataset.single === "off" || !actsOn(event)) return;
  const isJump = event.timeStamp < jumpUntil;
  jumpUntil = 0;
  if (isJump) return jump(event.key);
  const search = document.querySelector("input[type=search]");
  if (event.key === "g") {
    jumpUntil = event.timeStamp + JUMP_MS;
  } else if (event.key === "?") {
    keys?.showModal();
  } else if (event.key === "/" && search) {
    event.preventDefault();
    search.focus();
  }
});

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-keys]")) keys?.showModal();
});
