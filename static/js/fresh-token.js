// A page that outlived a sign-in gets a fitting token with the refusal: see console/web/unsent.py.

document.addEventListener("htmx:after:request", (event) => {
  const token = event.detail.ctx.response?.headers.get("X-CSRFToken");
  if (!token) return;
  for (const field of document.querySelectorAll("[name=csrfmiddlewaretoken]")) field.value = token;
});
