// The pieces of a live part as they are sent (console/web/live/parts.py): each is put in place where the page has another
// version of it. A version that is not known here was sent before the page was made, or while it was away: then the page
// asks for its part.

const kept = new Map(); // piece -> { version, html }; "": what is around the pieces
let newest = null; // { topic, position, versions, over }: what was sent last
let seen = "";
let arranging = 0;

const region = () => document.querySelector("[data-topic][data-version]");
const count = (position) => Number(position.split(".")[1]);
const epoch = (position) => position.split(".")[0];
const isNewer = (one, other) => epoch(one) === epoch(other) && count(one) > count(other);

document.addEventListener("live:part", ({ detail }) => {
  if (detail.topic !== newest?.topic) kept.clear();
  else if (isNewer(newest.position, detail.position)) return; // of the stream before, which another process may send
  newest = detail;
  for (const [name, html] of Object.entries(detail.html)) kept.set(name, { version: detail.versions[name], html });
  for (const name of kept.keys()) if (!(name in detail.versions)) kept.delete(name);
  arrange();
});

function arrange() {
  if (!document.hidden) arranging ||= requestAnimationFrame(() => { arranging = 0; place(region()); });
}

function place(part) {
  if (!part || part.dataset.topic !== newest?.topic) return;
  const isSame = part.dataset.version === newest.versions[""];
  if (!(isSame ? placePieces(part) : placeAll(part))) {
    newest = null; // what is asked for now is newer
    htmx.trigger(document.getElementById("live"), "changed");
  } else if (newest.over) {
    delete part.dataset.topic;
    document.dispatchEvent(new Event("live:over"));
  }
}

function placePieces(part) {
  let isComplete = true;
  for (const [name, version] of Object.entries(newest.versions)) {
    const piece = name && part.querySelector(`[data-piece="${CSS.escape(name)}"]`);
    if (!piece || piece.dataset.version === version) continue;
    if (kept.get(name)?.version === version) swap(piece, kept.get(name).html, "outerMorph");
    else isComplete = false;
  }
  return isComplete;
}

function placeAll(part) {
  const isKept = Object.entries(newest.versions).every(([name, version]) => kept.get(name)?.version === version);
  if (!isKept) return false;
  const html = kept.get("").html.replace(/<!--piece:([\w.-]+)-->/g, (_, name) => kept.get(name).html);
  swap(part, html, "innerMorph");
  part.dataset.version = newest.versions[""];
  return true;
}

function swap(target, html, how) {
  const template = document.createElement("template");
  template.innerHTML = html;
  const token = document.querySelector("[name=csrfmiddlewaretoken]")?.value ?? "";
  for (const field of template.content.querySelectorAll("[name=csrfmiddlewaretoken]")) field.setAttribute("value", token);
  htmx.swap({ sourceElement: target, target, text: template.innerHTML, swap: how });
}

// A part that was asked for may be older than what was sent meanwhile; else it takes its place.
document.addEventListener("htmx:after:swap", () => {
  const position = region()?.dataset.position ?? "";
  if (position === seen) return;
  seen = position;
  if (newest && isNewer(newest.position, position)) arrange();
  else newest = null;
});
document.addEventListener("visibilitychange", () => { if (newest) arrange(); });
