// One box that checks, or clears, the box of every service in a list.

document.addEventListener("change", (event) => {
  if (!event.target.matches("[data-all]")) return;
  for (const box of event.target.form.querySelectorAll("[name=services]")) box.checked = event.target.checked;
});
