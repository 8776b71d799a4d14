// How many changes wait for who looks, in the navigation of every page: it is sent when it changes, as a live part that is
// always whole (console/web/parts/approvals.py). It has a port of its own to the worker that holds the one stream of the
// browser (live-worker.js). Where there are no shared workers it is right when a page is loaded: a second stream for each
// page would cost more than it tells.

const HIDDEN_MS = 5_000;
const KEEPALIVE_MS = 20_000; // the worker forgets a page that says nothing for three of these

const badge = document.querySelector("[data-waiting]");
const { waiting: topic, stream, worker, person, address } = badge?.dataset ?? {};
let since = badge?.dataset.position ?? "";
let port = null;
let isJoined = false;
let isGone = false; // this person may approve nothing any more

function connect() {
  const found = new SharedWorker(worker, { name: `sluice-live-${person}` }).port;
  found.addEventListener("message", ({ data }) => { if (data.topic === topic) hear(data); });
  found.start();
  return found;
}

function hear({ event, position, json }) {
  if (event === "part") {
    since = position;
    badge.innerHTML = JSON.parse(json).html[""];
  }
  if (event === "changed") look();
  if (event === "gone") isGone = true;
  if (isGone) badge.replaceChildren();
}

// Only where it cannot be known what was missed. What fails is made up for by what is sent next, and what was sent while
// the answer was under way is newer. As htmx does, it names itself: nobody is at the page, so it keeps no session alive.
async function look() {
  const before = since;
  const answer = await fetch(address, { headers: { "HX-Request": "true" }, redirect: "error" }).catch(() => null);
  const html = answer?.ok ? await answer.text().catch(() => null) : null;
  if (html !== null && since === before && !isGone) badge.innerHTML = html;
}

function join() {
  if (document.hidden || isGone) return;
  port ??= connect();
  isJoined = true;
  port.postMessage({ topic, since, stream });
}

function leave() {
  if (isJoined) port.postMessage({ topic: "" });
  isJoined = false;
}

let hiding = 0;
if (badge && "SharedWorker" in window) {
  document.addEventListener("visibilitychange", () => {
    clearTimeout(hiding);
    if (document.hidden) hiding = setTimeout(leave, HIDDEN_MS);
    else if (!isJoined) join();
  });
  window.addEventListener("pagehide", leave);
  window.addEventListener("pageshow", (event) => { if (event.persisted) join(); });
  setInterval(() => { if (isJoined) join(); }, KEEPALIVE_MS);
  join();
}
