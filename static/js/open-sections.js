// A section of a form that was opened is open again when the form comes back: its hidden input says so.

document.addEventListener("toggle", ({ target }) => {
  const told = target.matches?.("details") && target.querySelector(":scope > input[name=open]");
  if (told) told.disabled = !target.open;
}, true);
