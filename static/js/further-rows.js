// A further empty row of a form, a copy of its last one. Without this script the server adds it.

function addRow(form) {
  const body = form.querySelector("[data-rows]");
  const count = form.querySelector("[name=rows]");
  const row = body.lastElementChild.cloneNode(true);
  const index = Number.parseInt(count.value, 10);
  for (const field of row.querySelectorAll("[name]")) {
    field.name = field.name.replace(/-\d+$/, `-${index}`);
    field.id = field.id.replace(/-\d+$/, `-${index}`);
    if (field.type !== "hidden") field.value = "";
  }
  for (const problem of row.querySelectorAll(".problem, .block")) problem.remove();
  for (const field of row.querySelectorAll(".is-wrong")) field.classList.remove("is-wrong");
  count.value = String(index + 1);
  body.append(row);
  row.querySelector("input:not([type=hidden])")?.focus();
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-add-row]");
  if (!button?.form) return;
  event.preventDefault();
  addRow(button.form);
});
