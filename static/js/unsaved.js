// Leaving a page by a link asks first where something typed would be lost. Nothing that was typed is kept anywhere for it.
// What is sent, by any button, is kept or judged by the server; see console/web/typed.py.

const untouched = new WeakMap(); // what the form would have sent before somebody touched it
let sent = null;

function contents(form) {
  const fields = [...new FormData(form)].filter(([name]) => name !== "csrfmiddlewaretoken");
  return JSON.stringify(fields.map(([name, value]) => [name, value instanceof File ? value.name : value]));
}

// The server kept nothing of a form that it sent back with what is wrong; a preview comes from a draft.
const isRefused = (form) => form.id !== "apply" && form.querySelector(".is-invalid, .problem:not([hidden])") !== null;
const differs = (form) => untouched.has(form) && untouched.get(form) !== contents(form);
const isUnsaved = () => [...document.querySelectorAll("form[data-typed]")]
  .some((form) => form !== sent && (differs(form) || isRefused(form)));

function touch({ target }) {
  const form = target.closest?.("form[data-typed]") ?? target.form;
  if (form?.matches?.("form[data-typed]") && !untouched.has(form)) untouched.set(form, contents(form));
}

function ask(event) {
  if (isUnsaved()) event.preventDefault(); // the browser's own words
}

// Before the field changes. The listener is there once it is needed: with it, some browsers keep no page for "Back".
for (const name of ["focusin", "pointerdown", "keydown", "beforeinput"]) {
  document.addEventListener(name, touch, { capture: true, passive: true });
}
document.addEventListener("input", (event) => {
  if (event.target.closest?.("form[data-typed]") === sent) sent = null;
  window.addEventListener("beforeunload", ask);
});
document.addEventListener("submit", (event) => { sent = event.target; }, { capture: true });
// "Cancel", beside the form's button, says itself that what was typed is not wanted.
document.addEventListener("click", ({ target }) => {
  const link = target.closest?.("form[data-typed] :is(.foot, .buttons) a[href]");
  if (link) sent = link.closest("form");
}, { capture: true });
if (isUnsaved()) window.addEventListener("beforeunload", ask);
