// The sum of a traffic split as it is typed: total, meters, and a button that gives one row what is left to 100%.

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

const totalAll = () => { for (const form of document.querySelectorAll("form")) total(form); };

document.addEventListener("input", (event) => {
  if (event.target.form && event.target.matches("[data-percent]")) total(event.target.form);
});

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-remove]")) total(event.target.form);
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-remainder]");
  if (button?.form) fillRemainder(button.form, button.closest("tr").querySelector("[data-percent]"));
});

document.addEventListener("htmx:after:swap", totalAll);
totalAll();
