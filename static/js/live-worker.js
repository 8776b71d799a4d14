// The one event stream of a browser, for all its pages: see live.js. Pages say what they are about; the stream is opened
// for all their topics together, and opened again for more before the one before is closed, so that nothing is missed.

const SILENT_MS = 65_000; // a page that ended without a word
const MAX_TOPICS = 60; // console/web/stream.py has the same
const MAX_ADDRESS = 7_000; // characters; proxies take 8 kB
const MAX_PAUSE_MS = 60_000;

const pages = new Map(); // port -> { topic, heardAt }
const covered = new Set(); // topics that were heard since their `hello` without a gap
let address = "";
let current = null; // { source, topics }: the stream that is heard
let opening = null; // the one that takes over when it says hello
let failures = 0;
let retry = 0;

function tell(topic, event) {
  for (const [port, page] of pages) if (page.topic === topic) port.postMessage({ topic, event });
}

function wanted() {
  const topics = [...new Set([...pages.values()].map((page) => page.topic))].slice(0, MAX_TOPICS);
  while (query(topics).length > MAX_ADDRESS) topics.pop(); // those pages ask by themselves every half minute
  return topics;
}

const query = (topics) => topics.map((topic) => `topic=${encodeURIComponent(topic)}`).join("&");

function refresh() {
  const topics = wanted();
  const has = opening ?? current;
  if (!topics.length) close();
  else if (retry) return;
  else if (!has || topics.some((topic) => !has.topics.includes(topic))) open(topics);
}

function close() {
  stopWaiting();
  current?.source.close();
  opening?.source.close();
  current = opening = null;
  covered.clear();
}

function stopWaiting() {
  clearTimeout(retry);
  retry = 0;
}

function open(topics) {
  opening?.source.close();
  const stream = { source: new EventSource(`${address}?${query(topics)}`), topics };
  opening = stream;
  stream.source.addEventListener("hello", ({ data }) => greet(stream, data));
  stream.source.addEventListener("changed", ({ data }) => tell(data, "changed"));
  stream.source.addEventListener("gone", ({ data }) => forget(data));
  stream.source.addEventListener("error", () => interrupted(stream));
}

function greet(stream, topic) {
  failures = 0;
  if (stream === opening) {
    current?.source.close();
    current = opening;
    opening = null;
    for (const one of covered) if (!current.topics.includes(one)) covered.delete(one);
  }
  if (!covered.has(topic)) tell(topic, "hello");
  covered.add(topic);
}

function forget(topic) {
  covered.delete(topic);
  tell(topic, "gone");
  for (const [port, page] of pages) if (page.topic === topic) pages.delete(port);
}

// The browser connects again by itself unless the answer was no stream: the session is over, or the server is not there
// yet. Then the pages look for themselves (one whose session is over goes to the sign-in page), and it is tried again.
function interrupted(stream) {
  if (stream === current) covered.clear();
  if (stream.source.readyState !== EventSource.CLOSED) return;
  if (stream === current) current = null;
  if (stream === opening) opening = null;
  for (const topic of new Set([...pages.values()].map((page) => page.topic))) tell(topic, "hello");
  failures += 1;
  const pause = Math.min(MAX_PAUSE_MS, 1_000 * 2 ** failures) * (0.5 + Math.random() / 2);
  stopWaiting();
  retry = setTimeout(() => { retry = 0; refresh(); }, pause);
}

function listen(port, { topic, stream }) {
  const before = pages.get(port)?.topic;
  if (!topic) pages.delete(port);
  else pages.set(port, { topic, heardAt: Date.now() });
  address = stream ?? address;
  const isNew = topic && topic !== before;
  if (isNew && covered.has(topic)) port.postMessage({ topic, event: "hello" });
  if (isNew) stopWaiting(); // a page that was opened just now found the server there
  refresh();
}

self.addEventListener("connect", ({ ports: [port] }) => {
  port.addEventListener("message", ({ data }) => listen(port, data));
  port.start();
});

setInterval(() => {
  for (const [port, page] of pages) if (Date.now() - page.heardAt > SILENT_MS) pages.delete(port);
  refresh();
}, SILENT_MS);
