// The answer to a page whose session is over makes it load itself again, for the sign-in page (console/web/unsent.py).
// Until that is there it must ask nothing more: each further answer would call off that loading and begin another.

let isLeaving = false;
document.addEventListener("htmx:after:request", ({ detail }) => { if (detail.ctx.hx?.refresh === "true") isLeaving = true; });
document.addEventListener("htmx:before:request", (event) => {
  if (isLeaving && event.detail.ctx.request.method === "GET") event.preventDefault();
});
