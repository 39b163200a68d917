// Keeps the page working with the network off, after one visit. `cargo xtask dist` fills in the two lines below.
//
// All files of a release are kept together under its version. A new release is fetched beside the old one and takes over when the page
// says so, or when no page of the old one is open. Nothing but this page's files is touched.
const VERSION = "@VERSION@";
const FILES = ["@FILES@"];

const PREFIX = `kubenkyo ${registration.scope} `;
const CACHE = PREFIX + VERSION;

addEventListener("install", (event) => {
  // Past the browser's own cache: a release is what the server has now.
  const requests = FILES.map((file) => new Request(file, { cache: "no-cache" }));
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(requests)));
});

addEventListener("activate", (event) => {
  const old = (name) => name.startsWith(PREFIX) && name !== CACHE;
  event.waitUntil(caches.keys().then((names) => Promise.all(names.filter(old).map((name) => caches.delete(name)))).then(() => clients.claim()));
});

addEventListener("message", (event) => {
  if (event.data === "take over") skipWaiting();
});

addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET" || !request.url.startsWith(registration.scope)) return;
  const name = request.url.slice(registration.scope.length).replace(/[?#].*/, "");
  const kept = registration.scope + (name === "index.html" ? "" : name);
  event.respondWith(caches.open(CACHE).then((cache) => cache.match(kept)).then((found) => found || fetch(request)));
});
