// What is typed outlives "Back" and a switch of language or theme: see console/web/typed.py.

let lastTyped = null;

document.addEventListener("input", (event) => {
  lastTyped = event.target.closest("form[data-typed]") ?? lastTyped;
});

// htmx sends a form to its own address only. A button with an address of its own is the browser's business.
document.addEventListener("submit", (event) => {
  if (event.submitter?.hasAttribute("formaction")) event.stopPropagation();
}, true);

// The buttons of the frame send the form that is on the page now.
function attachFrame() {
  const forms = [...document.querySelectorAll("form[data-typed]")];
  const form = forms.includes(lastTyped) ? lastTyped : document.getElementById("typed") ?? forms[0];
  for (const button of document.querySelectorAll("button[data-keeps]")) {
    button.setAttribute("form", form?.id || "preferences");
  }
  document.querySelector("button[data-default]")?.setAttribute("form", form?.id ?? "");
}

document.addEventListener("input", attachFrame);
document.addEventListener("htmx:after:swap", attachFrame);
attachFrame();

// A preview came: "Back" is to lead to the form as it was typed, so the form's entry gets the draft's address.
document.addEventListener("htmx:before:history:update", (event) => {
  const { type, path } = event.detail.history;
  const address = new URL(path, location.href);
  if (type !== "push" || !address.searchParams.has("preview")) return;
  address.searchParams.delete("preview");
  history.replaceState({ htmx: true }, "", address);
});

document.addEventListener("htmx:after:history:push", () => {
  const here = location.pathname + location.search;
  for (const button of document.querySelectorAll("button[data-keeps]")) {
    button.setAttribute("formaction", `${button.getAttribute("formaction").split("?")[0]}?next=${encodeURIComponent(here)}`);
  }
});
