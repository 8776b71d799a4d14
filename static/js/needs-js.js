// What is of use only with scripts is hidden in the markup, and shown here.

function show() {
  for (const element of document.querySelectorAll("[data-needs-js]")) element.hidden = false;
}

document.addEventListener("htmx:after:swap", show);
show();
