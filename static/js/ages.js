// An age is right only when its page is made: `2s ago` goes on here, in the words that the page brought along. What is
// rendered once for many pages names the moment itself, which becomes an age here and goes into its title. What is left
// until a moment is counted down.
//
// The server's clock counts. The browser's may be wrong, so only what passes on it since the page was made is added.

const EVERY_MS = 5_000;
const UNITS = [[31_536_000, "y"], [86_400, "d"], [3_600, "h"], [60, "m"], [1, "s"]];
const words = JSON.parse(document.documentElement.dataset.ages);
const ahead = Date.now() - words.now * 1_000; // of the browser's clock

function refresh() {
  for (const time of document.querySelectorAll("time[data-age]")) {
    time.title ||= time.textContent;
    const passed = (Date.now() - ahead - Date.parse(time.dateTime)) / 1_000;
    const seconds = Math.floor(time.dataset.age === "left" ? Math.max(0, -passed) : passed);
    if (seconds < 0) continue; // in the future: what the server wrote stays
    const [size, unit] = UNITS.find(([size]) => seconds >= size) ?? UNITS.at(-1);
    const age = words[unit].replace("%(count)s", Math.floor(seconds / size));
    const text = time.dataset.age === "ago" ? words.ago.replace("%(age)s", age) : age;
    if (time.textContent !== text) time.textContent = text;
  }
}

refresh();
setInterval(() => { if (!document.hidden) refresh(); }, EVERY_MS);
document.addEventListener("htmx:after:swap", refresh);
document.addEventListener("live:rows", refresh);
document.addEventListener("visibilitychange", refresh);
