// Rows of a form that can be added and taken away. Without this script the server does it: see console/web/forms/rows.py.

function renumbered(row, number) {
  for (const element of row.querySelectorAll("*")) {
    for (const name of ["id", "for", "name", "value"]) {
      const text = element.getAttribute(name);
      if (text?.includes("__prefix__")) element.setAttribute(name, text.replace("__prefix__", number));
    }
  }
  return row;
}

function add(field) {
  const total = field.querySelector("[name$='-TOTAL_FORMS']");
  const copy = field.querySelector("template").content.cloneNode(true);
  field.querySelector("[data-row-list]").append(renumbered(copy, total.value));
  total.value = String(Number(total.value) + 1);
  field.querySelector("[data-row]:last-child :is(input, select):not([type=hidden])").focus();
}

function remove(field, row) {
  const next = row.nextElementSibling ?? row.previousElementSibling;
  row.remove();
  (next?.querySelector("[data-remove-row]") ?? field.querySelector("[data-add-row-of]")).focus();
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-add-row-of], button[data-remove-row]");
  const field = button?.closest("[data-rows-of]");
  if (!field) return;
  event.preventDefault();
  if (button.hasAttribute("data-remove-row")) remove(field, button.closest("[data-row]"));
  else add(field);
  button.form?.dispatchEvent(new Event("input", { bubbles: true }));
});
