// The page inside other pages: an article, a reveal.js deck, a deck built by Marp; from another origin, with the network blocked. `node
// hosts.mjs [WORD]` after `cargo xtask dist`; `cargo xtask test hosts` does both. `hosts/` holds the pages around.

import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { brotliCompressSync } from "node:zlib";
import { Marp } from "@marp-team/marp-core";

import violations from "./axe.mjs";
import { dist, launch, opened, root, run, serve, test, until } from "./page.mjs";

const page = await serve();
const browser = await launch();
const here = join(root, "tests/browser/hosts");
const reveal = dirname(createRequire(import.meta.url).resolve("reveal.js"));

/// The host pages, at an origin of their own.
const host = await serveHosts();

async function serveHosts() {
  const server = createServer((request, response) => {
    const url = new URL(request.url, "http://host");
    const name = url.pathname.slice(1);
    const kinds = { html: "text/html", css: "text/css", js: "text/javascript" };
    const place = () => ({ "@PAGE@": page, "@HOST@": `http://${request.headers.host}` });
    const filled = (text) => text.replace(/@PAGE@|@HOST@/g, (word) => place()[word]);
    try {
      const body =
        name === "marp.html" ? marp(filled(readFileSync(join(here, "marp.md"), "utf8")))
        // A page that holds just what somebody pasted.
        : name === "paste.html" ? `<!DOCTYPE html><title>Pasted</title>${decodeURIComponent(url.search.slice(1))}`
        : name.startsWith("reveal.") && name !== "reveal.html" ? readFileSync(join(reveal, name))
        : filled(readFileSync(join(here, name), "utf8"));
      response.writeHead(200, { "content-type": `${kinds[name.split(".").pop()]}; charset=utf-8` });
      response.end(body);
    } catch {
      response.writeHead(404);
      response.end();
    }
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  server.unref();
  return `http://127.0.0.1:${server.address().port}/`;
}

/// What `marp --html` makes of a deck: one HTML file.
function marp(markdown) {
  const { html, css } = new Marp({ html: { iframe: ["title", "src", "width", "height", "sandbox"] }, script: false }).render(markdown);
  return `<!DOCTYPE html><html lang="ja"><head><meta charset="utf-8"><title>Marp</title><style>${css}</style></head><body>${html}</body></html>`;
}

/// A host page in a profile of its own. Nothing but the two servers is reachable.
async function visit(name, { lang = "en", dark = false, width = 1280, height = 900 } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, locale: lang === "ja" ? "ja-JP" : "en-US", colorScheme: dark ? "dark" : "light" });
  const tab = await context.newPage();
  tab.setDefaultTimeout(60_000);
  const troubles = [];
  await context.route("**", (route) => {
    const url = route.request().url();
    if (url.startsWith(page) || url.startsWith(host) || /^(data|blob):/.test(url)) return route.continue();
    troubles.push(`request to ${url}`);
    return route.abort();
  });
  tab.on("pageerror", (error) => troubles.push(`error: ${error.message}`));
  opened.push({ page: tab, context, troubles });
  await tab.goto(host + name, { waitUntil: "load" });
  return { tab, context, troubles };
}

/// The frame of the page that an element holds, once it has started.
async function started(tab, selector) {
  const element = await until(`a frame in ${selector}`, () => tab.$(selector));
  const frame = await until("its document", () => element.contentFrame());
  await frame.waitForSelector("[data-testid=embed-bar]");
  return frame;
}

const clock = (frame) => frame.getByTestId("clock").innerText();
const rows = (frame, selector) => frame.locator(selector).count();

function clean({ troubles }) {
  if (troubles.length) throw new Error(troubles.join(" · "));
}

function same(what, seen, expected) {
  if (JSON.stringify(seen) !== JSON.stringify(expected)) throw new Error(`${what}: ${JSON.stringify(seen)}, not ${JSON.stringify(expected)}`);
}

/// Sends a message as a host page's script does, and gives back the answer that carries its id.
const ask = (tab, selector, message) =>
  tab.evaluate(([selector, message]) => new Promise((done, fail) => {
    const { contentWindow } = document.querySelector(selector);
    const id = Math.random();
    const heard = ({ source, data }) => {
      if (source !== contentWindow || data?.id !== id) return;
      removeEventListener("message", heard);
      done(data);
    };
    addEventListener("message", heard);
    setTimeout(() => fail(new Error("no answer")), 30_000);
    contentWindow.postMessage({ kubenkyo: 1, id, ...message }, "*");
  }), [selector, message]);

test("an article with two clusters: each starts when it is seen, rests when it is not, and knows nothing of the other", async () => {
  const visited = await visit("article.html");
  const { tab } = visited;
  const first = await started(tab, "#first iframe");
  await first.getByTestId("clock").waitFor();
  const second = await (await tab.$("#second")).contentFrame();
  // Loaded by the browser, but far below: not started.
  same("the second before it is seen", await second.locator("[data-testid=embed-bar]").count(), 0);

  await tab.locator("#second").scrollIntoViewIfNeeded();
  const tree = await started(tab, "#second");
  await until("the second's own pods", async () => (await rows(tree, "[data-testid=card]")) >= 5);
  await until("the first to rest", async () => (await first.evaluate(() => document.documentElement.hasAttribute("data-away"))));
  const before = await clock(first);
  await tab.waitForTimeout(800);
  same("the first's clock while out of sight", await clock(first), before);

  await tab.locator("#first").scrollIntoViewIfNeeded();
  await until("the first to go on", async () => (await clock(first)) !== before);
  same("pods of the first", await rows(first, "[data-testid=pod]"), 0);
  same("language of the first", await first.evaluate(() => document.documentElement.lang), "en");
  same("language of the second", await tree.evaluate(() => document.documentElement.lang), "ja");
  clean(visited);
});

test("the element: apply, run, seek, highlight, pause and events, and refusals with their reason", async () => {
  const visited = await visit("article.html");
  const { tab } = visited;
  await started(tab, "#first iframe");
  const seen = await tab.evaluate(async () => {
    const cluster = document.querySelector("#first");
    const states = [];
    cluster.addEventListener("state", ({ detail }) => states.push(detail));
    const refused = (promise) => promise.then(() => "done", (error) => error.reason);
    const manifest = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: from-the-host";
    const applied = await cluster.apply(manifest);
    const listed = await cluster.run("kubectl get namespace from-the-host -o name");
    const failed = await cluster.run("kubectl get namespace no-such");
    const bad = await cluster.apply("apiVersion: v1\nkind: Pod\nmetadata:\n  nam: x");
    await cluster.run("kubectl create deployment web --image=nginx --replicas=2");
    await new Promise((done) => cluster.addEventListener("state", ({ detail }) => detail.pods.ready === 2 && done()));
    // Markup in every field is text.
    const markup = "<img src=x onerror=parent.hit=1>";
    await cluster.apply(`apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: marked\n  annotations: {note: "${markup}"}\ndata: {a: "${markup}"}`, `${markup.replaceAll("/", "")}.yaml`);
    const marked = [await cluster.run(`echo '${markup}'`), await refused(cluster.highlight([markup])), await refused(cluster.slide(markup)), await refused(cluster.send(markup, {}))];
    const paused = await cluster.pause();
    const past = await cluster.seek(0);
    await cluster.highlight(["scheduler"]);
    cluster.setAttribute("theme", "dark");
    return {
      applied: [applied.code, applied.output], listed: listed.output, failed: [failed.code, failed.output], bad: [bad.code, bad.problems.map(({ line }) => line)],
      marked: [marked[0].output, ...marked.slice(1)], paused: paused.paused, past: [past.time, past.pods.total], states: states.length > 1,
      reasons: [
        await refused(cluster.seek("now")), await refused(cluster.run("two\nlines")), await refused(cluster.slide("no-such-slide")),
        await refused(cluster.send("eval", {})), await refused(cluster.apply("a".repeat(300_000))),
      ],
    };
  });
  same("apply", seen.applied, [0, "namespace/from-the-host created\n"]);
  same("run", seen.listed, "namespace/from-the-host\n");
  same("a command that fails", seen.failed, [1, 'Error from server (NotFound): namespaces "no-such" not found\n']);
  same("a manifest with an unknown field", seen.bad, [1, [4]]);
  same("markup", seen.marked, ["<img src=x onerror=parent.hit=1>\n", "done", "unknown", "type"]);
  same("pause", seen.paused, true);
  same("seek", seen.past, [0, 0]);
  same("states were told", seen.states, true);
  same("reasons", seen.reasons, ["field", "field", "unknown", "type", "too-large"]);
  const first = await started(tab, "#first iframe");
  same("elements made of markup", await first.locator("img[src=x]").count() + await tab.locator("img[src=x]").count(), 0);
  await until("the theme", () => first.evaluate(() => document.documentElement.dataset.theme === "dark"));
  clean(visited);
});

test("a message from an origin that is not allowed is refused and does nothing", async () => {
  const visited = await visit("article.html");
  const { tab } = visited;
  // The same page in a frame whose address allows another origin.
  await tab.evaluate((address) => {
    const frame = Object.assign(document.createElement("iframe"), { id: "strict", width: 700, height: 300, sandbox: "allow-scripts", src: `${address}?embed&lang=en#?origin=https://other.example` });
    document.querySelector("article").prepend(frame);
  }, page);
  const frame = await started(tab, "#strict");
  const answer = await ask(tab, "#strict", { type: "run", line: "kubectl create namespace intruder" });
  same("the answer", [answer.ok, answer.reason], [false, "origin"]);
  // Only the page around may speak: a frame beside it is not heard at all.
  await tab.evaluate(() => {
    const other = document.createElement("iframe");
    other.srcdoc = "";
    document.body.append(other);
  });
  const heard = await tab.evaluate(() => new Promise((done) => {
    const { contentWindow } = document.querySelector("#strict");
    addEventListener("message", ({ source, data }) => source === contentWindow && data?.type === "state" && done("the state was told"));
    setTimeout(() => done("nothing"), 1500);
  }));
  same("what the host hears", heard, "nothing");
  await frame.getByTestId("clock").waitFor();
  clean(visited);
});

test("a sandboxed frame has no storage, and nothing but that is lost", async () => {
  const visited = await visit("article.html");
  const { tab } = visited;
  const first = await started(tab, "#first iframe");
  const storage = await first.evaluate(() => {
    try {
      return String(localStorage);
    } catch (error) {
      return error.name;
    }
  });
  same("storage", storage, "SecurityError");
  same("the note", await first.locator(".embed-bar .note").innerText(), "Nothing is saved here");
  const link = await first.getByTestId("open-full").getAttribute("href");
  same("the way out carries the cluster", /seed=1/.test(link) && !/embed|origin/.test(link), true);
  clean(visited);
});

test("read-only: the reader can look and go through time, and only the host changes anything", async () => {
  const visited = await visit("article.html");
  const { tab } = visited;
  await tab.evaluate((address) => {
    const frame = Object.assign(document.createElement("iframe"), {
      id: "still", width: 1000, height: 500, sandbox: "allow-scripts", src: `${address}?embed&lang=en&readonly&view=editor,stage,terminal&manifest=web.yaml#?origin=*`,
    });
    document.querySelector("article").prepend(frame);
  }, page);
  const frame = await started(tab, "#still");
  same("apply", await frame.getByTestId("apply").isVisible(), false);
  same("the prompt", await frame.getByTestId("terminal-input").isVisible(), false);
  const text = () => frame.locator(".cm-content").innerText();
  const before = await text();
  await frame.locator(".cm-content").click();
  await tab.keyboard.type("x");
  await tab.keyboard.press("Control+Enter");
  same("the manifest", await text(), before);
  const answer = await ask(tab, "#still", { type: "run", line: "kubectl get deployments" });
  same("nothing was applied", answer.output, "No resources found in default namespace.\n");
  clean(visited);
});

test("a reveal.js deck: the cluster starts on its slide and rests when the deck goes on", async () => {
  const visited = await visit("reveal.html");
  const { tab } = visited;
  await tab.waitForFunction(() => globalThis.deck?.isReady());
  await tab.evaluate(() => deck.slide(1));
  const frame = await started(tab, "#live iframe");
  await until("three pods", async () => (await rows(frame, "[data-testid=pod][data-ready=true]")) === 3, 90);
  await tab.keyboard.press("ArrowRight");
  await until("rest", () => frame.evaluate(() => document.documentElement.hasAttribute("data-away")));
  await tab.evaluate(() => deck.slide(1));
  const before = await started(tab, "#live iframe").then(clock);
  await until("the clock again", async () => (await clock(await started(tab, "#live iframe"))) !== before);
  clean(visited);
});

test("a page built by Marp: the terminal answers", async () => {
  const visited = await visit("marp.html", { lang: "ja" });
  const { tab } = visited;
  await tab.locator("iframe").scrollIntoViewIfNeeded();
  const frame = await started(tab, "iframe");
  await until("kubectl's answer", async () => (await frame.getByTestId("terminal-log").innerText()).includes("node-3"));
  same("theme", await frame.evaluate(() => document.documentElement.dataset.theme), "dark");
  clean(visited);
});

for (const [way, lang] of [["Frame", "ja"], ["Element", "en"]]) {
  test(`the generator: what is pasted is what was previewed, ${way}`, async () => {
    const visited = await visit("article.html", { lang });
    const { tab } = visited;
    await tab.goto(page);
    await tab.getByTestId("apply").waitFor();
    await tab.getByTestId("embed").click();
    for (const choice of ["embed-term", "embed-manifest"]) await tab.getByTestId(choice).click();
    await tab.getByTestId("embed-view").selectOption("tree");
    await tab.getByTestId("embed-autoplay").selectOption("apply");
    await tab.getByTestId("embed-theme").selectOption("dark");
    const found = await violations(tab);
    if (found.length) throw new Error(found.join("\n"));
    const cards = (frame) => until("the manifest's objects", async () => (await rows(frame, "[data-testid=card]")) >= 5);
    await cards(await started(tab, "[data-testid=embed-preview]"));
    await tab.getByTestId(`embed-way-${way}`).click();
    const text = await tab.getByTestId("embed-text").inputValue();
    await tab.goto(`${host}paste.html?${encodeURIComponent(text)}`);
    const frame = await started(tab, "iframe");
    await cards(frame);
    same("theme", await frame.evaluate(() => document.documentElement.dataset.theme), "dark");
    same("columns", await frame.evaluate(() => document.querySelector(".board").dataset.panes), "stage term");
    clean(visited);
  });
}

test("an article on a stick: both pages from files, with the network off", async () => {
  const folder = mkdtempSync(join(tmpdir(), "kubenkyo-stick-"));
  for (const name of ["kubenkyo.html", "embed.js"]) copyFileSync(join(dist, name), join(folder, name));
  writeFileSync(join(folder, "article.html"), `<!DOCTYPE html><title>On a stick</title><script src="embed.js"></script>
    <kubenkyo-cluster id="first" lang="en" view="stage,terminal"></kubenkyo-cluster>`);
  const context = await browser.newContext({ offline: true });
  const tab = await context.newPage();
  const troubles = [];
  tab.on("pageerror", (error) => troubles.push(`error: ${error.message}`));
  tab.on("request", (request) => /^(file|data|blob):/.test(request.url()) || troubles.push(`request to ${request.url()}`));
  opened.push({ page: tab, context, troubles });
  await tab.goto(pathToFileURL(join(folder, "article.html")).href);
  await started(tab, "#first iframe");
  const answer = await tab.evaluate(() => document.querySelector("#first").run("kubectl get nodes -o name"));
  same("kubectl's answer", answer.output, "node/node-1\nnode/node-2\nnode/node-3\n");
  rmSync(folder, { recursive: true });
  clean({ troubles });
});

test("the element's script is small", async () => {
  const source = readFileSync(join(dist, "embed.js"));
  const size = brotliCompressSync(source).length;
  if (size > 2048) throw new Error(`${size} bytes`);
});

for (const lang of ["ja", "en"]) {
  for (const theme of ["light", "dark"]) {
    test(`axe finds nothing in an embedded page, ${lang}, ${theme}`, async () => {
      const visited = await visit("article.html", { lang, dark: theme === "dark" });
      const { tab } = visited;
      for (const query of ["view=slide,editor,tree,terminal&controls=all", "view=architecture&readonly", "view=slide&controls=none"]) {
        await tab.goto(`${page}?embed&lang=${lang}&theme=${theme}&manifest=web.yaml&autoplay=apply&slide=5.1&${query}`);
        await tab.getByTestId("embed-bar").waitFor();
        await tab.waitForTimeout(3000);
        const found = await violations(tab);
        if (found.length) throw new Error(`${query}\n${found.join("\n")}`);
      }
      clean(visited);
    });
  }
}

await run((body) => body());
