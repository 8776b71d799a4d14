// A form that was sent through htmx comes back with problems or as a preview: lead the eye and the keyboard there.

// The first field in the nearest part of the form around the problem; none for a problem of the form as a whole.
function fieldBeside(problem) {
  for (let part = problem.parentElement; part && part.tagName !== "FORM" && part.id !== "content"; part = part.parentElement) {
    const field = part.querySelector("input:not([type=hidden]), select, textarea");
    if (field) return field;
  }
  return null;
}

document.addEventListener("htmx:after:request", (event) => {
  if (event.target.tagName !== "FORM") return;
  requestAnimationFrame(() => {
    const wanted = document.querySelector("#content [data-focus]");
    if (wanted) {
      const isHeading = wanted.tabIndex < 0; // no control: where reading begins, so all of what follows is to be seen
      wanted.focus({ preventScroll: isHeading });
      if (isHeading) wanted.scrollIntoView({ block: "start" }); // the page stays where the form was scrolled to
      return;
    }
    const problem = document.querySelector("#content .problem, #content .note-error");
    const field = problem && fieldBeside(problem);
    (field ?? document.querySelector("#content"))?.focus({ preventScroll: !field });
    problem?.scrollIntoView({ block: "nearest" }); // the page may be scrolled past it: as far as the form was long
  });
});
