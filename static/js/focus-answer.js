// A form that was sent through htmx comes back with problems or as a preview: lead the eye and the keyboard there.

document.addEventListener("htmx:after:request", (event) => {
  if (event.target.tagName !== "FORM") return;
  requestAnimationFrame(() => {
    const wanted = document.querySelector("#content [data-focus]");
    if (wanted) {
      wanted.focus({ preventScroll: wanted.tabIndex < 0 }); // what is no control is where reading begins
      return;
    }
    const problem = document.querySelector("#content .problem, #content .note-error");
    const field = problem?.closest("td, div")?.querySelector("input:not([type=hidden]), select, textarea");
    (field ?? document.querySelector("#content"))?.focus({ preventScroll: !field });
  });
});
