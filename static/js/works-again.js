// A store that was away works again: the note that said so goes with the first answer (console/web/unavailable.py).

document.addEventListener("htmx:after:request", (event) => {
  if (event.detail.ctx.response?.raw?.ok) document.querySelector("#toasts [data-unavailable]")?.remove();
});
