// What asks again by itself every few seconds (a followed log asks the cluster each time) asks nothing while nobody sees it.

document.addEventListener("htmx:before:request", (event) => {
  const asking = event.detail.ctx.sourceElement.getAttribute("hx-trigger") ?? "";
  if (document.hidden && asking.includes("every ")) event.preventDefault();
});
