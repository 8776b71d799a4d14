// What a person opened or closed stays so when a part of the page is fetched again.

const touched = new WeakSet();

document.addEventListener("click", (event) => {
  const summary = event.target.closest("summary");
  if (summary) touched.add(summary.parentElement);
});
document.addEventListener("htmx:before:morph:attr", (event) => {
  if (event.detail.attrName === "open" && touched.has(event.target)) event.preventDefault();
});
