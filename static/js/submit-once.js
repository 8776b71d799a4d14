// A button that sends only once: a second press while the first is under way would only find its preview used up.

document.addEventListener("submit", (event) => {
  for (const button of event.target.querySelectorAll("button[data-once]")) {
    setTimeout(() => { button.disabled = true; });
  }
});

// A change is previewed by its cluster, which may take seconds: say what the page waits for (base.html). Other forms ask none.
const QUIET_MS = 700;
const waiting = () => document.getElementById("cluster-wait");
let saying = 0;
document.addEventListener("htmx:before:request", ({ target }) => {
  if (!target.matches?.("form[data-asks-cluster]") || !waiting()) return;
  clearTimeout(saying);
  saying = setTimeout(() => { waiting().textContent = waiting().dataset.says; }, QUIET_MS);
});
function stopWaiting({ target }) {
  if (!target.matches?.("form[data-asks-cluster]") || !waiting()) return;
  clearTimeout(saying);
  waiting().textContent = "";
}
document.addEventListener("htmx:after:request", stopWaiting); // before its form is swapped out
document.addEventListener("htmx:finally:request", stopWaiting); // without a response

// A form that is still there after its answer can be sent again.
document.addEventListener("htmx:finally:request", (event) => {
  for (const button of event.target.querySelectorAll?.("button[data-once]") ?? []) button.disabled = false;
});
