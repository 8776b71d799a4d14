// A button that sends only once: a second press while the first is under way would only find its preview used up.

document.addEventListener("submit", (event) => {
  for (const button of event.target.querySelectorAll("button[data-once]")) {
    setTimeout(() => { button.disabled = true; });
  }
});

// A form that is still there after its answer can be sent again.
document.addEventListener("htmx:finally:request", (event) => {
  for (const button of event.target.querySelectorAll?.("button[data-once]") ?? []) button.disabled = false;
});
