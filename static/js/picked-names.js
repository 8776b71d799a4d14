// A name that was chosen becomes a line of the field beside it.

document.addEventListener("change", (event) => {
  const picker = event.target;
  if (!picker.matches("select[data-append]") || !picker.value) return;
  const field = document.getElementById(picker.dataset.append);
  const lines = field.value.split("\n").filter((line) => line.trim());
  if (!lines.includes(picker.value)) field.value = [...lines, picker.value].join("\n");
  picker.value = "";
  field.focus();
});
