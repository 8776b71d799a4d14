// A live page hears that something changed, by `hello` and `changed` on its [data-topic], and then asks again by itself.
//
// All pages of a browser share one event stream, which live-worker.js holds: over HTTP/1.1 a browser opens six
// connections to a server at most, and a stream for each page would take them all. A page that is hidden for some
// seconds leaves, and is told `hello` when it comes back, so that it catches up. Where there are no shared workers,
// each page has a stream of its own, by htmx's sse extension.

const HIDDEN_MS = 5_000;
const KEEPALIVE_MS = 20_000; // the worker forgets a page that says nothing for three of these

const live = () => document.querySelector("[data-topic]");
let port = null;
let joined = "";
let gone = ""; // a topic that this person may not hear (any more)

function connect(element) {
  const worker = new SharedWorker(element.dataset.worker, { name: "sluice-live" });
  worker.addEventListener("error", standAlone);
  worker.port.addEventListener("message", ({ data }) => {
    const here = live();
    if (data.event === "gone") gone = data.topic;
    if (here && data.topic === here.dataset.topic) htmx.trigger(here, data.event);
  });
  worker.port.start();
  return worker.port;
}

function join() {
  const element = live();
  if (!element || document.hidden || element.dataset.topic === gone) return leave();
  if (!("SharedWorker" in window)) return standAlone();
  port ??= connect(element);
  joined = element.dataset.topic;
  port.postMessage({ topic: joined, stream: element.dataset.stream });
}

function leave() {
  if (joined) port?.postMessage({ topic: "" });
  joined = "";
}

function standAlone() {
  const element = live();
  if (!element || element.hasAttribute("hx-sse:connect")) return;
  element.setAttribute("hx-sse:connect", `${element.dataset.stream}?topic=${encodeURIComponent(element.dataset.topic)}`);
  htmx.process(element);
}

let hiding = 0;
document.addEventListener("visibilitychange", () => {
  clearTimeout(hiding);
  if (document.hidden) hiding = setTimeout(leave, HIDDEN_MS);
  else if (!joined) join();
});
window.addEventListener("pagehide", leave);
window.addEventListener("pageshow", (event) => { if (event.persisted) join(); });
// What was swapped in may be about something else, or about nothing any more.
document.addEventListener("htmx:after:swap", () => {
  if ((live()?.dataset.topic ?? "") !== joined) join();
});
setInterval(() => { if (joined) join(); }, KEEPALIVE_MS);

setTimeout(join); // after htmx, which begins by a timer of its own
