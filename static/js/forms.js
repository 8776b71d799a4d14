// Comfort for forms that work without it: live sums, further rows, a typed value that means "set".

// What the server reads of a percent: console/knative/traffic.py, parse_percent. NaN is what it would refuse.
function percentOf(input) {
  const text = input.value.trim().replace(/%$/, "").trim();
  return text === "" ? 0 : /^[+-]?[0-9]{1,9}$/.test(text) ? Number.parseInt(text, 10) : Number.NaN;
}

const isRemoved = (input) => input.closest("tr")?.querySelector("[data-remove]")?.checked ?? false;

function total(form) {
  const output = form.querySelector("[data-sum]");
  if (!output) return;
  let sum = 0;
  for (const input of form.querySelectorAll("[data-percent]")) {
    const value = isRemoved(input) ? 0 : percentOf(input);
    sum += value;
    const meter = input.closest("tr")?.querySelector("meter");
    if (meter) meter.value = Number.isNaN(value) ? 0 : value;
  }
  output.textContent = Number.isNaN(sum) ? "–" : `${sum}%`;
  output.classList.toggle("is-wrong", sum !== 100);
  const hint = form.querySelector("[data-sum-hint]");
  hint.hidden = sum === 100 || Number.isNaN(sum);
  hint.textContent = hint.hidden ? "" : hint.dataset.words.replace("{sum}", sum);
}

function fillRemainder(form, input) {
  let others = 0;
  for (const one of form.querySelectorAll("[data-percent]")) {
    if (one !== input && !isRemoved(one)) others += percentOf(one) || 0;
  }
  input.value = String(Math.max(0, 100 - others));
  total(form);
}

function addRow(form) {
  const body = form.querySelector("[data-rows]");
  const count = form.querySelector("[name=rows]");
  const row = body.lastElementChild.cloneNode(true);
  const index = Number.parseInt(count.value, 10);
  for (const field of row.querySelectorAll("[name]")) {
    field.name = field.name.replace(/-\d+$/, `-${index}`);
    field.id = field.id.replace(/-\d+$/, `-${index}`);
    if (field.type !== "hidden") field.value = "";
  }
  for (const problem of row.querySelectorAll(".problem, .block")) problem.remove();
  for (const field of row.querySelectorAll(".is-wrong")) field.classList.remove("is-wrong");
  count.value = String(index + 1);
  body.append(row);
  row.querySelector("input:not([type=hidden])")?.focus();
}

document.addEventListener("input", (event) => {
  const field = event.target;
  const form = field.closest("form");
  if (!form) return;
  if (field.matches("[data-percent]")) total(form);
});

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-remove]")) total(event.target.form);
  if (!event.target.matches("[data-all]")) return;
  for (const box of event.target.form.querySelectorAll("[name=services]")) box.checked = event.target.checked;
});

// A name that was chosen becomes a line of the field beside it.
document.addEventListener("change", (event) => {
  const picker = event.target;
  if (!picker.matches("select[data-append]") || !picker.value) return;
  const field = document.getElementById(picker.dataset.append);
  const lines = field.value.split("\n").filter((line) => line.trim());
  if (!lines.includes(picker.value)) field.value = [...lines, picker.value].join("\n");
  picker.value = "";
  field.focus();
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  const form = button?.closest("form");
  if (!form) return;
  if (button.matches("[data-add-row]")) {
    event.preventDefault(); // without this script, the server adds the row
    addRow(form);
  }
  if (button.matches("[data-remainder]")) fillRemainder(form, button.closest("tr").querySelector("[data-percent]"));
});

document.addEventListener("submit", (event) => {
  // A second press while the first is under way would only find its preview used up.
  for (const button of event.target.querySelectorAll("button[data-once]")) {
    setTimeout(() => { button.disabled = true; });
  }
});

// A form that is still there after its answer can be sent again.
document.addEventListener("htmx:finally:request", (event) => {
  for (const button of event.target.querySelectorAll?.("button[data-once]") ?? []) button.disabled = false;
});

document.addEventListener("focusin", (event) => {
  if (event.target.matches("[data-select]")) event.target.select();
});

function prepare(root) {
  root.querySelector("[data-select]")?.select();
  for (const element of root.querySelectorAll("[data-needs-js]")) element.hidden = false;
  for (const form of root.querySelectorAll("form")) total(form);
}

prepare(document);
// On a narrow screen the open tab may be beyond the edge.
document.querySelector(".subnav [aria-current]")?.scrollIntoView({ inline: "center", block: "nearest" });
document.addEventListener("htmx:after:swap", () => prepare(document));

// A page that outlived a sign-in gets a fitting token with the refusal: see console/web/unsent.py.
document.addEventListener("htmx:after:request", (event) => {
  const token = event.detail.ctx.response?.headers.get("X-CSRFToken");
  if (!token) return;
  for (const field of document.querySelectorAll("[name=csrfmiddlewaretoken]")) field.value = token;
});

// A store that was away works again: the note that said so goes with the first answer (console/web/unavailable.py).
document.addEventListener("htmx:after:request", (event) => {
  if (event.detail.ctx.response?.raw?.ok) document.querySelector("#toasts [data-unavailable]")?.remove();
});

// A form that was sent through htmx comes back with problems or as a preview: lead the eye and the keyboard there.
document.addEventListener("htmx:after:request", (event) => {
  if (event.target.tagName !== "FORM") return;
  requestAnimationFrame(() => {
    const wanted = document.querySelector("#content [data-focus]");
    if (wanted) {
      wanted.focus();
      return;
    }
    const problem = document.querySelector("#content .problem, #content .note-error");
    const field = problem?.closest("td, div")?.querySelector("input:not([type=hidden]), select, textarea");
    (field ?? document.querySelector("#content"))?.focus({ preventScroll: !field });
  });
});

// One menu at a time, closed by a click elsewhere or by Escape.
const closeMenus = (except) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) if (menu !== except) menu.open = false;
};
document.addEventListener("click", (event) => closeMenus(event.target.closest("details.menu")));
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") closeMenus(null);
  const typing = event.target.closest("input, textarea, select");
  if (event.key === "/" && !typing) {
    const search = document.querySelector("input[type=search]");
    if (search) {
      event.preventDefault();
      search.focus();
    }
  }
});

// What is typed outlives "Back" and a switch of language or theme: see console/web/typed.py.
let lastTyped = null;

document.addEventListener("input", (event) => {
  lastTyped = event.target.closest("form[data-typed]") ?? lastTyped;
});

// htmx sends a form to its own address only. A button with an address of its own is the browser's business.
document.addEventListener("submit", (event) => {
  if (event.submitter?.hasAttribute("formaction")) event.stopPropagation();
}, true);

// The buttons of the frame send the form that is on the page now.
function attachFrame() {
  const forms = [...document.querySelectorAll("form[data-typed]")];
  const form = forms.includes(lastTyped) ? lastTyped : document.getElementById("typed") ?? forms[0];
  for (const button of document.querySelectorAll("button[data-keeps]")) {
    button.setAttribute("form", form?.id || "preferences");
  }
}

document.addEventListener("input", attachFrame);
document.addEventListener("htmx:after:swap", attachFrame);
attachFrame();

// A preview came: "Back" is to lead to the form as it was typed, so the form's entry gets the draft's address.
document.addEventListener("htmx:before:history:update", (event) => {
  const { type, path } = event.detail.history;
  const address = new URL(path, location.href);
  if (type !== "push" || !address.searchParams.has("preview")) return;
  address.searchParams.delete("preview");
  history.replaceState({ htmx: true }, "", address);
});

document.addEventListener("htmx:after:history:push", () => {
  const here = location.pathname + location.search;
  for (const button of document.querySelectorAll("button[data-keeps]")) {
    button.setAttribute("formaction", `${button.getAttribute("formaction").split("?")[0]}?next=${encodeURIComponent(here)}`);
  }
});
