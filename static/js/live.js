// A live page is sent the rows that changed and puts them in place (live-rows.js), or pieces of its part (live-parts.js);
// where more changed than that, it hears `changed` and asks for its part again. [data-topic] says what it is about, and
// data-position until where it shows it.
//
// All pages of a browser share one event stream, which live-worker.js holds: over HTTP/1.1 a browser opens six
// connections to a server at most, and a stream for each page would take them all. A page that is hidden does nothing;
// after some seconds it leaves, and catches up when it comes back. Where there are no shared workers, each page has a
// worker of its own.

const HIDDEN_MS = 5_000;
const KEEPALIVE_MS = 20_000; // the worker forgets a page that says nothing for three of these
const ALONE_MS = 30_000; // between two looks of a page that has no stream, unless its data-alone says otherwise
const PAUSED_MS = 4_000;

const live = () => document.querySelector("[data-topic]");
let port = null;
let joined = "";
let gone = ""; // a topic that this person may not hear (any more)
let isHeard = false; // the stream has greeted
let mustLook = false; // it was told to while it was hidden
let since = "";

function connect() {
  const { worker, person } = document.getElementById("live").dataset;
  const shared = "SharedWorker" in window;
  // A worker for each person: the stream of one who signed out is sent what that person saw until the server ends it.
  const started = shared ? new SharedWorker(worker, { name: `sluice-live-${person}` }) : new Worker(worker);
  const found = shared ? started.port : started;
  found.addEventListener("message", ({ data }) => { if (data.topic === live()?.dataset.topic) hear(data); });
  if (shared) found.start();
  return found;
}

function hear({ event, topic, position, json }) {
  const wasHeard = isHeard;
  isHeard = event === "lost" ? false : isHeard || event === "hello";
  if (event === "gone") {
    gone = topic;
    look();
  }
  if (event === "changed") look();
  if (event === "rows") pass("live:sent", { position, html: JSON.parse(json) });
  if (event === "part") pass("live:part", { topic, position, ...JSON.parse(json) });
  if (!isHeard) setTimeout(tellPaused, PAUSED_MS);
  else if (!wasHeard) tellPaused();
}

function pass(event, detail) {
  since = detail.position;
  document.dispatchEvent(new CustomEvent(event, { detail }));
}

function look() {
  mustLook = document.hidden;
  const element = document.getElementById("live");
  if (element && !document.hidden) htmx.trigger(element, "changed");
}

// A moment without a stream is nothing to tell of: it is there again by itself.
function tellPaused() {
  const isPaused = !isHeard && joined !== "";
  for (const note of document.querySelectorAll("[data-paused]")) note.hidden = !isPaused;
  for (const word of document.querySelectorAll("[data-live]")) word.hidden = isPaused;
}

// --- Joining and leaving ---------------------------------------------------------------------------

function join() {
  const element = live();
  if (!element || document.hidden || element.dataset.topic === gone) return leave();
  port ??= connect();
  if (joined !== element.dataset.topic) isHeard = false;
  joined = element.dataset.topic;
  setTimeout(tellPaused, PAUSED_MS);
  port.postMessage({ topic: joined, since, stream: document.getElementById("live").dataset.stream });
}

function leave() {
  if (joined) port?.postMessage({ topic: "" });
  joined = "";
  isHeard = false;
}

let hiding = 0;
document.addEventListener("visibilitychange", () => {
  clearTimeout(hiding);
  if (document.hidden) hiding = setTimeout(leave, HIDDEN_MS);
  else {
    if (!joined) join();
    if (mustLook) look();
  }
});
window.addEventListener("pagehide", leave);
window.addEventListener("pageshow", (event) => { if (event.persisted) join(); });
// What was swapped in may be about something else, or about nothing any more.
let seen = "";
document.addEventListener("htmx:after:swap", () => {
  const { topic = "", position = "" } = live()?.dataset ?? {};
  if (position !== seen) {
    seen = since = position;
  }
  if (topic !== joined) join();
});
setInterval(() => { if (joined) join(); }, KEEPALIVE_MS);
document.addEventListener("live:over", join);

let lookedAt = Date.now();
setInterval(() => {
  if (document.hidden || isHeard) return;
  const every = 1_000 * live()?.dataset.alone || ALONE_MS;
  if (!live() || Date.now() - lookedAt < every) return;
  lookedAt = Date.now();
  look();
}, 1_000);

seen = since = live()?.dataset.position ?? "";
setTimeout(join); // after htmx, which begins by a timer of its own
