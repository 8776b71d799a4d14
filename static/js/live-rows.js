// Rows of a list as they are sent (console/web/live/lists.py), put in place so that a page to which many changes come keeps
// its time for who reads it. Three things cost that time: a browser styles and lays out a whole table for each moment at
// which something of it differs, does so once more for each question about the page between two changes, and does it for
// everything beside an element that is put in. So rows change together, what somebody is at is asked before, and only
// texts and attributes that differ are written; an element is replaced only where it has other elements than before.

const TOGETHER_MS = 50; // rows that come so soon after one another
const BETWEEN_MS = 250; // two times that rows are put in place
const LATELY_MS = 2_000; // a row that changed so lately waits for its turn, with all that did: its newest HTML counts
const TURN_MS = 1_000;
const OF_READER = "[open], :checked, :popover-open";
const TEXT = Node.TEXT_NODE;

const rows = new Map(); // id -> { html, position }: since the page's part was asked for
let shown = new WeakMap(); // row -> its HTML as it was sent
const placedAt = new WeakMap(); // row -> when it last changed
const waiting = new Set(); // ids of rows that are to be put in place
let turn = -TURN_MS; // when those that changed lately had theirs
let placed = -BETWEEN_MS;
let seen = document.querySelector("[data-topic]")?.dataset.position ?? "";

const number = (position) => Number(position.split(".")[1]);
const epoch = (position) => position.split(".")[0];
const isNewer = (one, other) => epoch(one) === epoch(other) && number(one) > number(other);

document.addEventListener("live:sent", ({ detail: { html, position } }) => {
  for (const [id, row] of Object.entries(html)) {
    if (document.getElementById(id)) keep(id, { html: row, position }); // else it is of another page of the list
  }
  arrange();
});

// At the change from one stream to the next, which another process may send, both tell of a row, in any order.
function keep(id, row) {
  if (isNewer(rows.get(id)?.position ?? "", row.position)) return;
  rows.set(id, row);
  waiting.add(id);
}

// --- When ------------------------------------------------------------------------------------------

let timer = 0;
let due = Infinity;

function arrange() {
  if (document.hidden || !waiting.size) return;
  const now = performance.now();
  const isFirst = [...waiting].some((id) => !changedLately(id, now));
  const at = Math.max(now + TOGETHER_MS, isFirst ? placed + BETWEEN_MS : turn + TURN_MS);
  if (at >= due) return;
  clearTimeout(timer);
  due = at;
  timer = setTimeout(() => requestAnimationFrame(place), at - now);
}

function changedLately(id, now) {
  return now - (placedAt.get(document.getElementById(id)) ?? -LATELY_MS) < LATELY_MS;
}

function place() {
  due = Infinity;
  if (document.hidden) return;
  placed = performance.now();
  const isTurn = placed - turn >= TURN_MS;
  if (isTurn) turn = placed;
  const ids = [...waiting].filter((id) => isTurn || !changedLately(id, placed));
  for (const id of ids) waiting.delete(id);
  show(ids.filter((id) => isOther(id, document.getElementById(id))));
  document.dispatchEvent(new Event("live:rows"));
  arrange();
}

const isOther = (id, row) => row && rows.has(id) && shown.get(row) !== rows.get(id).html;

// --- How -------------------------------------------------------------------------------------------

let isInUse = null; // whether somebody is at an element: a focus, a selection, a tick or a menu

function show(ids) {
  if (!ids.length) return;
  const restore = observe();
  const template = document.createElement("template");
  template.innerHTML = ids.map((id) => rows.get(id).html).join("");
  for (const next of [...template.content.children]) {
    const row = document.getElementById(next.id);
    shown.set(row, rows.get(row.id).html);
    placedAt.set(row, placed);
    update(row, next);
  }
  restore();
}

// Asked once, before anything is written. A text that changes loses the end of a selection that lies in it.
function observe() {
  const selection = getSelection();
  const range = selection.isCollapsed ? null : selection.getRangeAt(0);
  const { anchorNode, anchorOffset, focusNode, focusOffset } = selection;
  const focused = document.activeElement;
  isInUse = (element) => element.contains(focused) || range?.intersectsNode(element) || element.querySelector(OF_READER) !== null;
  return () => {
    const isKept = selection.anchorNode === anchorNode && selection.anchorOffset === anchorOffset
      && selection.focusNode === focusNode && selection.focusOffset === focusOffset;
    if (!range || isKept || !anchorNode.isConnected || !focusNode.isConnected) return;
    const within = (node, offset) => Math.min(offset, node.length ?? node.childNodes.length);
    selection.setBaseAndExtent(anchorNode, within(anchorNode, anchorOffset), focusNode, within(focusNode, focusOffset));
  };
}

function update(element, next) {
  if (element.isEqualNode(next) || isSameMoment(element, next)) return;
  copyAttributes(element, next);
  if (hasSameNodes(element, next)) updateNodes(element, next);
  else if (isInUse(element)) htmx.swap({ sourceElement: element, target: element, text: next.innerHTML, swap: "innerMorph" });
  else element.replaceChildren(...next.childNodes);
}

// static/js/ages.js keeps the shown age up to date.
const isSameMoment = (element, next) => element.localName === "time" && element.dateTime === next.dateTime;

function hasSameNodes({ childNodes: some }, { childNodes: others }) {
  return some.length === others.length && [...some].every((node, at) => node.nodeName === others[at].nodeName);
}

function updateNodes(element, next) {
  const others = [...next.childNodes];
  [...element.childNodes].forEach((node, at) => {
    if (node.nodeType !== TEXT) update(node, others[at]);
    else if (node.data !== others[at].data) node.data = others[at].data;
  });
}

function copyAttributes(element, next) {
  for (const { name } of [...element.attributes]) if (name !== "open" && !next.hasAttribute(name)) element.removeAttribute(name);
  for (const { name, value } of next.attributes) if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

// --- Again -----------------------------------------------------------------------------------------

// A part that was asked for again may be older than rows that came meanwhile.
function catchUp(position) {
  shown = new WeakMap();
  for (const [id, row] of rows) {
    if (isNewer(row.position, position) && document.getElementById(id)) waiting.add(id);
    else rows.delete(id);
  }
  arrange();
}

document.addEventListener("htmx:after:swap", () => {
  const { position = "" } = document.querySelector("[data-topic]")?.dataset ?? {};
  if (position === seen) return;
  seen = position;
  catchUp(position);
});
document.addEventListener("visibilitychange", () => {
  turn = -TURN_MS; // what came meanwhile is seen at once
  arrange();
});
