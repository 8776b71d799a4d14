// The table of variables: lines become fields, and back, without asking the server, which does the same for a browser
// without this script (console/web/forms/env.py tells what is sent). A line that was not touched has no fields.

const rowsIn = (section) => section.querySelectorAll("tr[data-env-row]");
const sectionOf = (element) => element.closest("[data-env]");
const isNew = (row) => row.querySelector("[data-env-new]") !== null;
const part = (row, name) => row.querySelector(`[data-env-${name}]`);

// What a revealed variable holds: the server puts values beside the table, by the key of the line.
function revealedOf(row) {
  const values = document.querySelectorAll("#env-revealed [data-env-value]");
  return [...values].findLast((one) => one.dataset.envValue === row.dataset.envRow);
}

const valueOf = (row) => revealedOf(row)?.textContent;

// The value, and beside it what it begins or ends with that is not seen.
function shownValue(value, edges) {
  const shown = [Object.assign(document.createElement("code"), { className: "revealed", textContent: value })];
  if (edges) shown.push(Object.assign(document.createElement("span"), { className: "chip chip-warn", textContent: edges }));
  return shown;
}

// --- Lines and fields

// A copy of what a template holds, with the number and the name of a line in their places.
function copyOf(template, index, name) {
  const copy = template.content.cloneNode(true);
  for (const element of copy.querySelectorAll("*")) {
    for (const attribute of element.attributes) {
      attribute.value = attribute.value.replace("%index%", () => index).replace("%name%", () => name);
    }
  }
  return copy;
}

function setAction(row, action) {
  part(row, "marks")?.remove();
  part(row, "editor")?.remove();
  row.classList.remove("is-keep", "is-set", "is-remove");
  row.classList.add(`is-${action}`);
  if (action !== "keep") addFields(row, action);
  part(row, "shown").hidden = action === "set";
  for (const button of row.querySelectorAll("button[name=row]")) button.hidden = !isOffered(button.value, action);
  for (const problem of row.querySelectorAll(".problem")) problem.remove();
  mark(row);
}

function isOffered(command, action) {
  const verb = command.split(":", 1)[0];
  return verb === "undo" ? action !== "keep" : verb === "edit" ? action === "keep" : action !== "remove";
}

function addFields(row, action) {
  const { envRow: key, index, source } = row.dataset;
  const cut = key.indexOf(":");
  const template = sectionOf(row).querySelector(`[data-env-blank=${source ? "reference" : "value"}]`);
  const copy = copyOf(template, index, key.slice(cut + 1));
  copy.querySelector("[name^=nth-]").value = key.slice(0, cut);
  copy.querySelector("[name^=action-]").value = action;
  row.cells[0].firstElementChild.prepend(copy.querySelector("[data-env-marks]"));
  if (action !== "set") return;
  row.cells[1].append(copy.querySelector("[data-env-editor]"));
  field(row, "source").value = source ?? "";
  field(row, "reference").value = row.dataset.reference ?? "";
  if (!source) field(row, "value").value = valueOf(row) ?? "";
}

const field = (row, name) => row.querySelector(`[name^=${name}-]`);

function focusOn(row) {
  const wanted = isNew(row) ? part(row, "new") : field(row, field(row, "source")?.value ? "reference" : "value");
  (wanted ?? row.querySelector("button[name=row]:not([hidden])"))?.focus();
}

function addRow(section) {
  const count = section.querySelector("[name=rows]");
  const body = section.querySelector("table.env tbody");
  const before = [...rowsIn(section)].filter(isNew).at(-1) ?? body.querySelector("template");
  before.after(copyOf(body.querySelector("template"), count.value, ""));
  count.value = String(Number(count.value) + 1);
  focusOn(before.nextElementSibling);
  recount(section);
}

// --- What a line does, and how many do

function effectOf(row) {
  if (row.classList.contains("is-remove")) return "removed";
  if (!part(row, "editor")) return "same";
  const [source, value, reference] = ["source", "value", "reference"].map((name) => field(row, name).value);
  if (isNew(row)) return part(row, "new").value || value || reference ? "new" : "same";
  const before = row.dataset;
  if (source) return source === before.source && reference === before.reference ? "same" : "changed";
  const isTyped = value !== "" && value !== valueOf(row);
  return before.source || isTyped || field(row, "empty")?.checked ? "changed" : "same";
}

function mark(row) {
  const effect = effectOf(row);
  if (!row.classList.contains(`is-${effect}`)) {
    row.classList.remove("is-same", "is-changed", "is-new", "is-removed");
    row.classList.add(`is-${effect}`);
    part(row, "effect")?.remove();
    const chip = sectionOf(row).querySelector("[data-env-effects]").content.querySelector(`[data-env-effect=${effect}]`);
    if (chip) row.cells[0].firstElementChild.append(chip.cloneNode(true));
  }
  recount(sectionOf(row));
}

function recount(section) {
  for (const count of section.querySelectorAll("[data-env-count]")) {
    const number = section.querySelectorAll(`tr.is-${count.dataset.envCount}[data-env-row]`).length;
    count.hidden = number === 0;
    count.querySelector("b").textContent = String(number);
  }
  section.querySelector("[data-env-none]").hidden = [...rowsIn(section)].some((row) => !row.hidden);
}

// --- The filter: of lines that are all there at once, here; else the server sends those that match

function filterRows(section, text) {
  section.querySelector("[name=filtered]").value = text;
  if ("envPaged" in section.dataset) return;
  for (const row of rowsIn(section)) row.hidden = row.classList.contains("is-keep") && !matches(row, text);
  recount(section);
}

const matches = (row, text) => row.dataset.envRow.split(":").slice(1).join(":").toLowerCase().includes(text.trim().toLowerCase());

// Enter in the filter opens the first line that matches, and never sends the form.
function openFirst(section, text) {
  const first = [...rowsIn(section)].find((row) => matches(row, text) && row.querySelector("button[value^='edit:']:not([hidden])"));
  if (!first) return;
  setAction(first, "set");
  focusOn(first);
}

// --- Values that were revealed

function showValues(section) {
  for (const row of rowsIn(section)) {
    const revealed = revealedOf(row);
    if (!revealed) continue;
    const value = revealed.textContent;
    part(row, "reveal")?.remove();
    const mask = part(row, "mask");
    if (mask) mask.replaceWith(...shownValue(value, revealed.dataset.envEdges));
    const typed = field(row, "value");
    if (typed && mask && !typed.value && !row.dataset.source) typed.value = value;
    if (typed) mark(row);
  }
  const button = part(section, "reveal-all");
  if (button) button.parentElement.hidden = !part(section, "reveal");
}

function reveal(button) {
  const section = sectionOf(button);
  const address = part(section, "reveal-all").getAttribute("hx-post");
  const values = { variable: button.dataset.envReveal };
  htmx.ajax("POST", address, { source: button, target: "#env-revealed", swap: "beforeend", values });
}

// --- A .env file or YAML: pasted, dropped or chosen

function paste(section, text) {
  const details = section.querySelector("[data-env-paste]");
  const area = details.querySelector("textarea");
  details.open = true;
  area.value = text;
  area.dispatchEvent(new Event("input", { bubbles: true }));
  area.focus();
}

async function readFile(section, file) {
  const isTooLarge = file.size > Number(section.dataset.maxBytes);
  section.querySelector("[data-env-too-large]").hidden = !isTooLarge;
  section.querySelector("[data-env-paste]").open = true;
  if (!isTooLarge) paste(section, await file.text());
}

// --- Events

const COMMANDS = {
  edit: (row) => setAction(row, "set"),
  remove: (row) => setAction(row, "remove"),
  undo: (row) => setAction(row, "keep"),
};

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-env] button");
  const section = button && sectionOf(button);
  if (button?.matches("[data-env-reveal]")) reveal(button);
  if (button?.name !== "row") return;
  const verb = button.value.split(":", 1)[0];
  const row = button.closest("tr");
  const isFull = section.querySelectorAll("[data-env-editor]").length >= Number(section.dataset.maxOpen);
  if (isFull && ["add", "edit"].includes(verb)) return; // the server says how many there may be
  if (verb === "add") addRow(section);
  else if (verb === "drop") row.remove();
  else if (verb in COMMANDS) {
    COMMANDS[verb](row);
    focusOn(row);
  } else return;
  event.preventDefault();
  recount(section);
});

document.addEventListener("input", (event) => {
  const section = sectionOf(event.target);
  if (event.target.matches("[data-env-filter]")) filterRows(section, event.target.value);
  else if (event.target.closest("tr[data-env-row]")) mark(event.target.closest("tr"));
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.isComposing || !event.target.matches("[data-env-filter]")) return;
  event.preventDefault();
  openFirst(sectionOf(event.target), event.target.value);
});

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-env-file]") && event.target.files[0]) readFile(sectionOf(event.target), event.target.files[0]);
});

// Several lines do not fit into a field for a name: they are meant for the field below.
document.addEventListener("paste", (event) => {
  const text = event.clipboardData?.getData("text") ?? "";
  if (!event.target.matches("[data-env-new]") || !/[\n=]/.test(text)) return;
  event.preventDefault();
  paste(sectionOf(event.target), text);
});

for (const kind of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(kind, (event) => {
    const section = event.target.closest?.("[data-env]");
    if (!section || !event.dataTransfer.types.includes("Files")) return;
    section.classList.toggle("is-drop-target", kind === "dragover");
    if (kind !== "dragleave") event.preventDefault();
    if (kind === "drop" && event.dataTransfer.files[0]) readFile(section, event.dataTransfer.files[0]);
  });
}

document.addEventListener("htmx:after:swap", () => {
  for (const section of document.querySelectorAll("[data-env]")) {
    showValues(section);
    recount(section);
  }
});
