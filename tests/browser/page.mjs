// What the browser scripts share: the built page served under a sub-path with the headers of a strict host, a headless Chromium, and a
// list of tests that ends with the line `N passed, N failed`.

import { mkdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { dirname, extname, join, normalize } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const here = dirname(fileURLToPath(import.meta.url));
export const root = join(here, "../..");
export const dist = process.env.KUBENKYO_DIST || join(root, "dist");
const program = process.env.KUBENKYO_CHROMIUM || "/usr/bin/chromium";

// What a careful host may send. Scripts come from files only; the page's own `style` attributes are allowed, style elements are not.
const policy = [
  "default-src 'none'", "script-src 'self' 'wasm-unsafe-eval'", "style-src 'self'", "style-src-attr 'unsafe-inline'", "img-src 'self' data: blob:",
  "font-src 'self'", "connect-src 'self'", "worker-src 'self' blob:", "manifest-src 'self'", "frame-src 'self'", "base-uri 'none'", "form-action 'none'",
].join("; ");

const types = {
  ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".wasm": "application/wasm",
  ".json": "application/json", ".webmanifest": "application/manifest+json", ".svg": "image/svg+xml", ".png": "image/png",
  ".md": "text/plain; charset=utf-8", ".yaml": "text/plain; charset=utf-8",
};

/// Serves dist/ beneath /a/sub/path/; nothing lies above it. Returns the page's address. `alter(name, bytes)` may answer other bytes, and bytes
/// for a file that is not there (`null`).
export async function serve(alter = (name, bytes) => bytes) {
  const prefix = "/a/sub/path/";
  const server = createServer(async (request, response) => {
    const path = decodeURIComponent(new URL(request.url, "http://here").pathname);
    const name = path.startsWith(prefix) ? path.slice(prefix.length) || "index.html" : null;
    try {
      if (name === null || normalize(name).startsWith("..")) throw new Error("outside");
      const bytes = await alter(name, await readFile(join(dist, name)).catch(() => null));
      if (bytes === null) throw new Error("no such file");
      response.writeHead(200, { "content-type": types[extname(name)] || "application/octet-stream", "content-security-policy": policy });
      response.end(bytes);
    } catch {
      if (response.headersSent) return response.destroy();
      response.writeHead(404, { "content-type": "text/plain" });
      response.end("not found\n");
    }
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  server.unref();
  return `http://127.0.0.1:${server.address().port}${prefix}`;
}

export function launch() {
  return chromium.launch({
    executablePath: program,
    headless: true,
    args: [
      "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync",
    ],
  });
}

/// Pages of the test that runs now: pictured when it fails, closed when it ends.
export const opened = [];

/// The one-file build, as a double click opens it.
export const single = pathToFileURL(join(dist, "kubenkyo.html")).href;

/// A page in a profile of its own, at a size, language and theme. `troubles` collects what must never happen on it: errors, refused
/// resources, requests to anywhere but its own address.
export async function open(browser, address, { width = 1440, height = 900, lang = "ja", dark = false, path = "", offline = false, whole = true } = {}) {
  const context = await browser.newContext({
    viewport: { width, height },
    locale: lang === "ja" ? "ja-JP" : "en-US",
    colorScheme: dark ? "dark" : "light",
    reducedMotion: "no-preference",
    offline,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  const troubles = [];
  page.on("pageerror", (error) => troubles.push(`error: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error") troubles.push(`console: ${message.text()}`);
  });
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(address) && !url.startsWith("data:") && !url.startsWith("blob:")) troubles.push(`request to ${url}`);
  });
  page.on("response", (response) => {
    if (response.status() >= 400) troubles.push(`${response.status()} for ${response.url()}`);
  });
  opened.push({ page, context, troubles });
  await page.goto(address + path, { waitUntil: "load" });
  // The page takes everything in from its start, but what is typed meanwhile goes into the plain field that the editor replaces.
  if (whole) await page.waitForFunction(() => globalThis.kubenkyoRest || !document.getElementById("page"));
  return { page, context, troubles };
}

/// Polls until `look` answers something true; the failure says what was seen last.
export async function until(what, look, seconds = 60) {
  const end = Date.now() + seconds * 1000;
  let seen;
  for (;;) {
    seen = await look();
    if (seen) return seen;
    if (Date.now() > end) throw new Error(`${what}: not within ${seconds} s`);
    await new Promise((done) => setTimeout(done, 100));
  }
}

const tests = [];

export function test(name, body) {
  tests.push({ name, body });
}

/// Where a failed test leaves a picture of each of its pages.
const pictures = join(root, "target/browser-failures");

async function picture(name) {
  mkdirSync(pictures, { recursive: true });
  for (const [index, { page, troubles }] of opened.entries()) {
    const file = join(pictures, `${name.replace(/[^a-z0-9]+/gi, "-").slice(0, 60)}-${index}.png`);
    await page.screenshot({ path: file }).then(() => console.log(`        picture: ${file}`), () => {});
    if (troubles.length) console.log(`        on the page: ${troubles.join(" · ")}`);
  }
}

/// Runs the tests in the order they were told, all of them, and leaves with their verdict. `node run.mjs WORD` runs those whose name holds it.
export async function run(around) {
  const word = process.argv[2];
  let passed = 0, failed = 0;
  for (const { name, body } of tests.filter(({ name }) => !word || name.includes(word))) {
    const start = Date.now();
    try {
      await around(body);
      passed += 1;
      console.log(`   ok   ${name} (${Date.now() - start} ms)`);
    } catch (error) {
      failed += 1;
      console.log(`   FAIL ${name}\n        ${String(error?.stack || error).split("\n").join("\n        ")}`);
      await picture(name);
    }
    for (const { context } of opened.splice(0)) await context.close().catch(() => {});
  }
  console.log(`${passed} passed, ${failed} failed`);
  process.exit(failed || !passed ? 1 : 0);
}
