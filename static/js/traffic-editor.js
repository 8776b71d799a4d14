// A traffic split as it is typed: sliders beside the numbers, the total, the bar of what it will be, and a button that
// gives one row what is left to 100%. Without this script the numbers and the server do the same.

const SVG = "http://www.w3.org/2000/svg";
const COLOURS = 8;

// What the server reads of a percent: console/knative/traffic.py, parse_percent. NaN is what it would refuse.
function percentOf(input) {
  const text = input.value.trim().replace(/%$/, "").trim();
  return text === "" ? 0 : /^[+-]?[0-9]{1,9}$/.test(text) ? Number.parseInt(text, 10) : Number.NaN;
}

const isRemoved = (input) => input.closest("tr")?.querySelector("[data-remove]")?.checked ?? false;
const shareOf = (input) => (isRemoved(input) ? 0 : percentOf(input));

// The revision's own colour, as console/web/revision_colours.py has it; that of a name without a generation is the server's.
function colourOf(row, name) {
  const generation = /-(\d{5,})$/.exec(name);
  return generation ? `rev-${Number(generation[1]) % COLOURS}` : row.querySelector(".swatch")?.classList[1] ?? "";
}

function shares(form) {
  const found = new Map();
  for (const input of form.querySelectorAll("[data-percent]")) {
    const row = input.closest("tr");
    const name = row.querySelector("[data-revision]")?.value.trim() || row.dataset.target || "?";
    const percent = shareOf(input);
    if (!(percent > 0)) continue;
    const one = found.get(name) ?? { name, percent: 0, colour: colourOf(row, name) };
    one.percent += percent;
    found.set(name, one);
  }
  return [...found.values()];
}

function part(share, start) {
  const rect = document.createElementNS(SVG, "rect");
  if (share.colour) rect.classList.add(share.colour);
  for (const [name, value] of Object.entries({ x: start, y: 0, width: share.percent, height: 6 })) rect.setAttribute(name, value);
  return rect;
}

function legend(share) {
  const line = document.createElement("li");
  const swatch = document.createElement("span");
  const percent = document.createElement("b");
  swatch.className = `swatch ${share.colour}`;
  swatch.setAttribute("aria-hidden", "true");
  percent.textContent = `${share.percent}%`;
  line.append(swatch, " ", percent, ` ${share.name}`);
  return line;
}

function draw(form) {
  const bar = form.querySelector("[data-after]");
  let start = 0;
  const found = shares(form);
  bar.querySelector("svg").replaceChildren(...found.map((share) => {
    const drawn = part(share, start);
    start += share.percent;
    return drawn;
  }));
  bar.querySelector("ul").replaceChildren(...found.map(legend));
}

function total(form) {
  const output = form.querySelector("[data-sum]");
  let sum = 0;
  for (const input of form.querySelectorAll("[data-percent]")) {
    const percent = percentOf(input);
    sum += shareOf(input);
    const slider = input.parentElement.querySelector("[data-slider]");
    if (document.activeElement !== slider) slider.value = Number.isNaN(percent) ? 0 : percent;
  }
  output.textContent = Number.isNaN(sum) ? "–" : `${sum}%`;
  output.classList.toggle("is-wrong", sum !== 100);
  const hint = form.querySelector("[data-sum-hint]");
  hint.hidden = sum === 100 || Number.isNaN(sum);
  hint.textContent = hint.hidden ? "" : hint.dataset.words.replace("{sum}", sum);
}

function show(form) {
  total(form);
  draw(form);
}

function fillRemainder(form, input) {
  let others = 0;
  for (const one of form.querySelectorAll("[data-percent]")) {
    if (one !== input) others += shareOf(one) || 0;
  }
  input.value = String(Math.max(0, 100 - others));
  input.dispatchEvent(new Event("input", { bubbles: true }));
}

const formOf = (element) => element.closest("form[data-split]");

document.addEventListener("input", (event) => {
  const form = formOf(event.target);
  if (!form) return;
  if (event.target.matches("[data-slider]")) event.target.parentElement.querySelector("[data-percent]").value = event.target.value;
  show(form);
});

document.addEventListener("change", (event) => {
  const form = formOf(event.target);
  if (form) show(form);
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-remainder]");
  if (!button?.form) return;
  event.preventDefault();
  fillRemainder(button.form, button.parentElement.querySelector("[data-percent]"));
});

// A browser fills fields in again after "Back", without an event.
const showAll = () => { for (const form of document.querySelectorAll("form[data-split]")) total(form); };
document.addEventListener("htmx:after:swap", showAll);
window.addEventListener("pageshow", () => { for (const form of document.querySelectorAll("form[data-split]")) show(form); });
showAll();
