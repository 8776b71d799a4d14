// The one event stream of a browser, for all its pages: see live.js. Pages say what they are about and what they show
// already; the stream is opened for all their topics together, and opened again for others before the one before is
// closed. Each piece of it ends with a position: a browser that connects again names it, and is sent what it missed.

const SILENT_MS = 65_000; // a page that ended without a word
const UNWANTED_MS = 5_000; // a topic that no page is about any more
const TOGETHER_MS = 20;
const MAX_TOPICS = 60; // console/web/stream.py has the same
const MAX_ADDRESS = 7_000; // characters; proxies take 8 kB
const MAX_PAUSE_MS = 60_000;
const UNKNOWN = "?"; // a position that is told at the end of the piece

const pages = new Map(); // port -> { topic, since, heardAt }
let address = "";
let current = null; // { source, topics, position, heard }: the stream that is heard; until where it told of a topic last
let opening = null; // the one that takes over when it says hello
let failures = 0;
let retry = 0;
let shrinking = 0;
let refreshing = 0;

function tell(topic, message) {
  for (const [port, page] of pages) if (page.topic === topic) port.postMessage({ topic, ...message });
}

function tellAll(message) {
  for (const [port, { topic }] of pages) port.postMessage({ topic, ...message });
}

function wanted() {
  const topics = [...new Set([...pages.values()].map((page) => page.topic))].slice(0, MAX_TOPICS);
  while (query(topics).length > MAX_ADDRESS) topics.pop(); // those pages ask by themselves every half minute
  return topics;
}

const query = (topics) => topics.map((topic) => `topic=${encodeURIComponent(topic)}&since=${since(topic)}`).join("&");

// What was heard of the topic: by the stream, or else by the page that is about it.
function since(topic) {
  if (current?.position && current.topics.includes(topic)) return current.position;
  return [...pages.values()].find((page) => page.topic === topic)?.since ?? "";
}

function isBefore(one, other) {
  const [[epoch, number], [otherEpoch, otherNumber]] = [one.split("."), other.split(".")];
  return epoch !== otherEpoch || Number(number) < Number(otherNumber);
}

// The topics of one page come one after another: a stream is opened for them together.
function refreshSoon() {
  refreshing ||= setTimeout(() => { refreshing = 0; refresh(); }, TOGETHER_MS);
}

function refresh() {
  const topics = wanted();
  const has = opening ?? current;
  if (!topics.length) close();
  else if (retry) return;
  else if (!has || topics.some((topic) => !has.topics.includes(topic))) open(topics);
  else if (topics.length < has.topics.length) shrinking ||= setTimeout(shrink, UNWANTED_MS);
}

function shrink() {
  shrinking = 0;
  const topics = wanted();
  const has = opening ?? current;
  if (!retry && topics.length && has && topics.length < has.topics.length) open(topics);
}

function close() {
  stopWaiting();
  current?.source.close();
  opening?.source.close();
  current = opening = null;
}

function stopWaiting() {
  clearTimeout(retry);
  retry = 0;
}

function open(topics) {
  opening?.source.close();
  const stream = { source: new EventSource(`${address}?${query(topics)}`), topics, position: "", heard: new Map() };
  opening = stream;
  const on = (event, take) => stream.source.addEventListener(event, ({ data }) => take(...data.split("\n", 3)));
  on("hello", (topic) => greet(stream, topic));
  for (const event of ["rows", "part"]) {
    on(event, (topic, position, json) => {
      stream.heard.set(topic, position);
      tell(topic, { event, position, json });
    });
  }
  on("changed", (topic) => {
    stream.heard.set(topic, UNKNOWN);
    tell(topic, { event: "changed" });
  });
  on("gone", forget);
  on("paused", () => {
    stream.isPaused = true;
    tellAll({ event: "lost" });
  });
  on("position", (position) => {
    stream.position = position;
    if (stream.isPaused) tellAll({ event: "hello" });
    stream.isPaused = false;
    for (const [topic, heard] of stream.heard) if (heard === UNKNOWN) stream.heard.set(topic, position);
  });
  stream.source.addEventListener("error", () => interrupted(stream));
}

function greet(stream, topic) {
  failures = 0;
  if (stream === opening) {
    current?.source.close();
    current = opening;
    opening = null;
  }
  tell(topic, { event: "hello" });
}

function forget(topic) {
  tell(topic, { event: "gone" });
  for (const [port, page] of pages) if (page.topic === topic) pages.delete(port);
}

// The browser connects again by itself unless the answer was no stream: the session is over, or the server is not there
// yet. Then the pages look for themselves (one whose session is over goes to the sign-in page), and it is tried again.
function interrupted(stream) {
  tellAll({ event: "lost" });
  if (stream.source.readyState !== EventSource.CLOSED) return;
  if (stream === current) current = null;
  if (stream === opening) opening = null;
  tellAll({ event: "changed" });
  failures += 1;
  const pause = Math.min(MAX_PAUSE_MS, 1_000 * 2 ** failures) * (0.5 + Math.random() / 2);
  stopWaiting();
  retry = setTimeout(() => { retry = 0; refresh(); }, pause);
}

function listen(port, { topic, since = "", stream }) {
  const before = pages.get(port)?.topic;
  if (!topic) pages.delete(port);
  else pages.set(port, { topic, since, heardAt: Date.now() });
  address = stream ?? address;
  if (topic && topic !== before) begin(port, topic, since);
  refreshSoon();
}

function begin(port, topic, since) {
  stopWaiting(); // a page that was opened just now found the server there
  if (!current?.topics.includes(topic)) return; // its own stream greets it
  const heard = current.heard.get(topic);
  port.postMessage({ topic, event: "hello" });
  if (heard && isBefore(since, heard)) port.postMessage({ topic, event: "changed" });
}

function connect(port) {
  port.addEventListener("message", ({ data }) => listen(port, data));
  port.start?.();
}

if ("onconnect" in self) self.addEventListener("connect", ({ ports: [port] }) => connect(port));
else connect(self); // a page's own worker, where there are no shared ones

setInterval(() => {
  for (const [port, page] of pages) if (Date.now() - page.heardAt > SILENT_MS) pages.delete(port);
  refresh();
}, SILENT_MS);
