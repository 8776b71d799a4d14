// A live page is sent the rows that changed and puts them in place (or pieces of its part: live-parts.js); where more
// changed than that, it hears `changed` and asks for its part again. [data-topic] says what it is about, and
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
const TOGETHER_MS = 50; // rows that come so soon after one another are put in place together
const BETWEEN_MS = 250; // two times that rows are put in place: a table is laid out as a whole for each

const live = () => document.querySelector("[data-topic]");
const number = (position) => Number(position.split(".")[1]);
const rows = new Map(); // id -> { html, position }: since the page's part was asked for
let shown = new WeakMap(); // row -> its HTML as it was sent
let waiting = new Set(); // ids of rows that are to be put in place
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
  isHeard = event === "lost" ? false : isHeard || event === "hello";
  if (event === "gone") {
    gone = topic;
    look();
  }
  if (event === "changed") look();
  if (event === "rows") keep(JSON.parse(json), position);
  if (event === "part") {
    since = position;
    document.dispatchEvent(new CustomEvent("live:part", { detail: { topic, position, ...JSON.parse(json) } }));
  }
  if (!isHeard) setTimeout(tellPaused, PAUSED_MS);
  else tellPaused();
}

function look() {
  mustLook = document.hidden;
  const element = document.getElementById("live");
  if (element && !document.hidden) htmx.trigger(element, "changed");
}

// A moment without a stream is nothing to tell of: it is there again by itself.
function tellPaused() {
  for (const note of document.querySelectorAll("[data-paused]")) note.hidden = isHeard || !joined;
}

// --- Rows ------------------------------------------------------------------------------------------

function keep(found, position) {
  since = position;
  for (const [id, html] of Object.entries(found)) {
    if (!document.getElementById(id)) continue; // of another page of the list
    rows.set(id, { html, position });
    waiting.add(id);
  }
  arrange();
}

let arranging = 0;
let placed = 0; // when rows were last put in place

function arrange() {
  if (document.hidden || !waiting.size) return;
  const wait = Math.max(TOGETHER_MS, placed + BETWEEN_MS - performance.now());
  arranging ||= setTimeout(() => requestAnimationFrame(() => { arranging = 0; place(); }), wait);
}

function place() {
  if (document.hidden) return;
  for (const id of waiting) {
    const [row, sent] = [document.getElementById(id), rows.get(id)];
    if (row && sent && shown.get(row) !== sent.html) show(row, sent.html);
  }
  waiting = new Set();
  placed = performance.now();
  document.dispatchEvent(new Event("live:rows"));
}

function show(row, html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  for (const time of template.content.querySelectorAll("time[data-age]")) {
    const same = row.querySelector(`time[datetime="${CSS.escape(time.dateTime)}"]`);
    if (same) time.replaceWith(same.cloneNode(true)); // the age as it is shown: static/js/ages.js
  }
  if (!renew(row, template.content.firstElementChild)) {
    htmx.swap({ sourceElement: row, target: row, text: template.innerHTML, swap: "outerMorph" });
  }
  shown.set(row, html);
}

// Most changes are of a cell or two, and nobody is at them: those cells are replaced. A swap parses a document for each
// row and runs what waits for swaps; it is left for cells in which there is a focus, a selection, a tick or a menu.
function renew(row, sent) {
  if (sent?.children.length !== row.children.length) return false;
  const differing = [...row.children].map((cell, at) => [cell, sent.children[at]]).filter(([cell, next]) => !cell.isEqualNode(next));
  if (differing.some(([cell]) => isInUse(cell))) return false;
  for (const { name } of [...row.attributes]) if (!sent.hasAttribute(name)) row.removeAttribute(name);
  for (const { name, value } of sent.attributes) if (row.getAttribute(name) !== value) row.setAttribute(name, value);
  for (const [cell, next] of differing) {
    cell.replaceWith(next);
    htmx.process(next);
  }
  return true;
}

function isInUse(cell) {
  const selection = getSelection();
  const isSelected = !selection.isCollapsed && selection.containsNode(cell, true);
  return isSelected || cell.contains(document.activeElement) || cell.querySelector("[open], :checked, :popover-open") !== null;
}

// A part that was asked for again may be older than rows that came meanwhile.
function catchUp(position) {
  shown = new WeakMap();
  since = position;
  for (const [id, row] of rows) {
    const isNewer = row.position.split(".")[0] === position.split(".")[0] && number(row.position) > number(position);
    if (isNewer && document.getElementById(id)) waiting.add(id);
    else rows.delete(id);
  }
  arrange();
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
    arrange();
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
    seen = position;
    catchUp(position);
  }
  if (topic !== joined) join();
});
setInterval(() => { if (joined) join(); }, KEEPALIVE_MS);
document.addEventListener("live:over", join);

let lookedAt = Date.now();
setInterval(() => {
  const every = 1_000 * live()?.dataset.alone || ALONE_MS;
  if (!live() || isHeard || document.hidden || Date.now() - lookedAt < every) return;
  lookedAt = Date.now();
  look();
}, 1_000);

seen = since = live()?.dataset.position ?? "";
setTimeout(join); // after htmx, which begins by a timer of its own
