// Ctrl-K (or the Find button) opens the palette; arrows choose among what was found, Enter opens it.
//
// The focus stays in the field: aria-activedescendant names the option that is chosen.

const dialog = document.getElementById("palette");
const field = document.getElementById("palette-text");
const options = () => [...dialog.querySelectorAll("[role=option]")];
const chosen = () => dialog.querySelector("[aria-selected=true]");

function choose(option) {
  chosen()?.setAttribute("aria-selected", "false");
  option?.setAttribute("aria-selected", "true");
  option?.scrollIntoView({ block: "nearest" });
  field.setAttribute("aria-activedescendant", option?.id ?? "");
}

function move(step) {
  const all = options();
  choose(all[(all.indexOf(chosen()) + step + all.length) % all.length]);
}

function open() {
  if (dialog.open) return;
  dialog.showModal();
  field.select();
  htmx.trigger(field, "opened");
}

const KEYS = {
  ArrowDown: () => move(1),
  ArrowUp: () => move(-1),
  Enter: () => chosen()?.click(),
};

if (dialog) {
  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
    event.preventDefault();
    open();
  });
  field.addEventListener("keydown", (event) => {
    if (!KEYS[event.key] || event.isComposing) return;
    event.preventDefault();
    KEYS[event.key]();
  });
  dialog.addEventListener("htmx:after:swap", () => choose(options()[0]));
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-palette]")) return;
    event.preventDefault(); // without this script it leads to the page that finds
    open();
  });
}
