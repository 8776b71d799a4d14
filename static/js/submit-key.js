// Control+Enter (Command+Enter on a Mac) in a text of several lines sends its form, as Enter does in a text of one.

document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.target.tagName !== "TEXTAREA") return;
  const form = event.target.form;
  const button = [...(form?.elements ?? [])].find((one) => one.type === "submit" && !one.disabled);
  if (!button) return;
  event.preventDefault();
  form.requestSubmit(button);
});
