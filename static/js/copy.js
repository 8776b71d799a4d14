// A button with data-copy copies its text and says so, to the eye and to screen readers.
//
// Where the clipboard cannot be written (an address without TLS, a browser that refuses), the text appears selected
// beside the button, ready for Ctrl+C.

const SHOWN_MS = 2_000;

function say(button, text) {
  document.getElementById("said").textContent = text;
  button.dataset.says = text; // shown beside the icon by the style sheet
  setTimeout(() => { delete button.dataset.says; }, SHOWN_MS);
}

function offerSelected(button) {
  const field = document.createElement("textarea");
  field.className = "copy-by-hand form-control mono";
  field.readOnly = true;
  field.rows = 1;
  field.value = button.dataset.copy;
  field.setAttribute("aria-label", button.getAttribute("aria-label"));
  field.addEventListener("blur", () => field.remove());
  button.after(field);
  field.select();
  say(button, button.dataset.byHand);
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  document.getElementById("said").textContent = ""; // the same words twice are heard twice
  try {
    await navigator.clipboard.writeText(button.dataset.copy); // a TypeError where there is no clipboard
    say(button, button.dataset.copied);
  } catch {
    offerSelected(button);
  }
});
