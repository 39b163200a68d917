// The page as a person uses it, in headless Chromium. `node run.mjs [WORD]` after `cargo xtask dist`; `cargo xtask test browser` does both.
//
// What the page promises to these scripts, as `data-testid`:
//   editor         the manifest editor (CodeMirror's .cm-content, or a textarea, inside)
//   apply          the button that applies the editor's text
//   problems       the list of what is wrong with the text; one [data-line="N"] (counted from 1) for each problem
//   terminal-input the line one types       terminal-log   what was printed
//   pod            a pod's shape on the stage, with data-name, data-phase (Pending, Running, …) and data-ready (true or false)
//   clock          the virtual time         lang-ja, lang-en, theme   the switches
// The page has started when `apply` is there. The editor opens with a Deployment of nginx with three replicas.

import violations from "./axe.mjs";
import { launch, open, run, serve, single, test, until } from "./page.mjs";
import share from "./share.mjs";

const address = await serve();
const browser = await launch();

const at = (page, name) => page.getByTestId(name);

/// The pods of the stage: name -> {phase, ready}; a pod drawn in two views counts once.
async function pods(page) {
  const shapes = await at(page, "pod").evaluateAll((all) => all.map((shape) => ({ ...shape.dataset })));
  return new Map(shapes.map(({ name, phase, ready }) => [name, { phase, ready: ready === "true" }]));
}

function running(page, count) {
  return until(`${count} pods Running and ready`, async () => {
    const now = await pods(page);
    const good = [...now].filter(([, pod]) => pod.phase === "Running" && pod.ready);
    return good.length === count && now.size === count && now;
  }, 120);
}

async function start(options) {
  const opened = await open(browser, address, options);
  await at(opened.page, "apply").waitFor();
  return opened;
}

async function type(page, line) {
  await at(page, "terminal-input").fill(line);
  await at(page, "terminal-input").press("Enter");
}

const log = (page) => at(page, "terminal-log").innerText();

/// Replaces the editor's text as a paste does.
async function write(page, text) {
  const field = at(page, "editor").locator(".cm-content, textarea").first();
  await field.click();
  await page.keyboard.press("Control+a");
  await page.keyboard.insertText(text);
}

/// The text as the editor shows it; CodeMirror draws only the lines near the view, so texts here are short.
const written = (page) =>
  at(page, "editor").evaluate((editor) => editor.querySelector("textarea")?.value ?? [...editor.querySelectorAll(".cm-line")].map((line) => line.textContent).join("\n"));

function clean({ troubles }) {
  if (troubles.length) throw new Error(`on the page: ${troubles.join(" · ")}`);
}

test("from Apply to three running pods, scaled to five, one killed and replaced, in English", async () => {
  const opened = await start({ lang: "ja" });
  const { page } = opened;
  await at(page, "apply").click();
  await running(page, 3);

  await type(page, "kubectl get deployments -o name");
  const name = await until("the name of the deployment in the terminal", async () => (await log(page)).match(/deployment\.apps\/([a-z0-9-]+)/)?.[1]);
  await type(page, `kubectl scale deployment/${name} --replicas=5`);
  await until("kubectl's answer", async () => (await log(page)).includes(`deployment.apps/${name} scaled`));
  const five = await running(page, 5);

  const victim = [...five.keys()][0];
  await type(page, `kubectl delete pod ${victim}`);
  await until("the victim's end", async () => !(await pods(page)).has(victim), 90);
  const replaced = await running(page, 5);
  const fresh = [...replaced.keys()].filter((pod) => !five.has(pod));
  if (fresh.length !== 1) throw new Error(`replaced by ${fresh.length} new pods: ${fresh}`);

  const before = await page.locator("body").innerText();
  await at(page, "lang-en").click();
  await until("the page in English", () => page.evaluate(() => document.documentElement.lang === "en"));
  const after = await page.locator("body").innerText();
  if (before === after) throw new Error("no word changed with the language");
  clean(opened);
});

test("the first part alone shows the first slide and a running cluster; what is done meanwhile is done when the rest comes", async () => {
  let release;
  const held = new Promise((done) => (release = done));
  const slow = await serve(async (name, bytes) => {
    if (/^(rest-|codemirror)/.test(name)) await held;
    return bytes;
  });
  const opened = await open(browser, slow, { lang: "en", whole: false });
  const { page } = opened;
  await at(page, "apply").waitFor();
  await until("the first slide", () => page.locator("article.slide h1, article.slide h2").first().isVisible());
  await until("its picture", async () => (await page.locator("article.slide svg text, article.slide svg path").count()) > 3);
  await until("three nodes", async () => (await at(page, "node").count()) === 3);
  await at(page, "theme").click();
  await at(page, "apply").click();
  await type(page, "kubectl get nodes -o name");
  // Half a minute of an idle cluster.
  await page.waitForTimeout(30_000);
  if (await page.evaluate(() => globalThis.kubenkyoRest)) throw new Error("the rest came although it was held back");
  clean(opened);
  if ((await pods(page)).size) throw new Error("pods before anything could be applied");
  release();
  await running(page, 3);
  await until("the nodes' names", async () => (await log(page)).includes("node/"));
  clean(opened);
});

test("a start that needs what is not there yet begins again with everything", async () => {
  let release;
  const held = new Promise((done) => (release = done));
  const slow = await serve(async (name, bytes) => {
    if (/^rest-/.test(name)) await held;
    return bytes;
  });
  const { page, troubles } = await open(browser, slow, { lang: "en", whole: false });
  await until("three nodes", async () => (await at(page, "node").count()) === 3);
  const again = page.waitForEvent("load");
  await page.evaluate(() => void setTimeout(() => { throw new WebAssembly.RuntimeError("null function"); }));
  await again;
  release();
  await page.waitForFunction(() => globalThis.kubenkyoRest);
  await at(page, "apply").click();
  await running(page, 3);
  clean({ troubles: troubles.filter((trouble) => trouble !== "error: null function") });
  if (!troubles.length) throw new Error("nothing was thrown");
});

test("what was typed survives a reload", async () => {
  const opened = await start({ lang: "en" });
  const { page } = opened;
  const text = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: kept-over-reload";
  await write(page, text);
  await until("the editor to show the text", async () => (await written(page)).includes("kept-over-reload"));
  // As a person does: a moment later.
  await page.waitForTimeout(1500);
  await page.reload();
  await at(page, "apply").waitFor();
  await until("the text after the reload", async () => (await written(page)).trim() === text);
  clean(opened);
});

const bad = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: misspelt
  lables:
    app: web
spec:
  replica: 3
  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: web
    spec:
      containers:
      - name: web
        imagee: nginx:1.14.2
        ports:
        - containerPort: "eighty"`;

test("three misspelt fields and a wrong type are four problems at their lines, and nothing changes", async () => {
  const opened = await start({ lang: "en" });
  const { page } = opened;
  await write(page, bad);
  await at(page, "apply").click();
  const lines = await until("four problems", async () => {
    const found = await at(page, "problems").locator("[data-line]").evaluateAll((all) => all.map((item) => Number(item.dataset.line)));
    return found.length >= 4 && found;
  }, 20);
  const expected = bad.split("\n").flatMap((line, index) => (/lables|replica:|imagee|eighty/.test(line) ? [index + 1] : []));
  if (JSON.stringify([...lines].sort((a, b) => a - b)) !== JSON.stringify(expected)) throw new Error(`at lines ${lines}, not ${expected}`);
  await type(page, "kubectl get deployments");
  await until("an empty list", async () => (await log(page)).includes("No resources found in default namespace."));
  if ((await pods(page)).size) throw new Error("pods appeared");
  clean(opened);
});

test("the one file from disk with the network off: Apply, and the pods run", async () => {
  const opened = await open(browser, single, { lang: "ja", offline: true });
  await at(opened.page, "apply").click();
  await running(opened.page, 3);
  clean(opened);
});

for (const lang of ["ja", "en"]) {
  for (const dark of [false, true]) {
    test(`axe finds nothing, ${lang}, ${dark ? "dark" : "light"}`, async () => {
      const opened = await start({ lang, dark });
      await at(opened.page, "apply").click();
      await running(opened.page, 3);
      const found = await violations(opened.page);
      for (const dialog of ["share", "embed", "help"]) {
        await at(opened.page, dialog).click();
        await opened.page.getByRole("dialog").waitFor();
        found.push(...(await violations(opened.page)).map((violation) => `${dialog}: ${violation}`));
        await opened.page.keyboard.press("Escape");
        await until("the dialog's end", async () => (await opened.page.getByRole("dialog").count()) === 0, 10);
      }
      if (found.length) throw new Error(found.join("\n"));
      clean(opened);
    });
  }
}

test("after one visit the page starts offline, and a new release takes over when told to", async () => {
  let isNext = false;
  const changed = await serve((name, bytes) => {
    if (!isNext || !/^(index\.html|sw\.js)$/.test(name)) return bytes;
    return String(bytes).replace("<body", '<body data-release="next"').replace(/VERSION = "\w+"/, 'VERSION = "next"');
  });
  const opened = await open(browser, changed);
  const { page, context } = opened;
  const release = () => page.evaluate(() => document.body.dataset.release ?? "first");
  const started = () => page.waitForFunction(() => typeof wasm_bindgen === "function" && !document.querySelector(".boot-error"));
  await page.waitForFunction(() => navigator.serviceWorker.controller);
  await context.setOffline(true);
  await page.reload();
  await started();
  clean(opened);

  await context.setOffline(false);
  isNext = true;
  await page.addInitScript(() => addEventListener("kubenkyo-update", (event) => (globalThis.changeOver = event.detail)));
  await page.reload();
  if ((await release()) !== "first") throw new Error("the new release came unasked");
  await page.waitForFunction(() => globalThis.changeOver);
  await page.evaluate(() => globalThis.changeOver());
  await until("the next release", async () => (await release().catch(() => "")) === "next", 20);
  await started();
  clean(opened);
});

test("the editor works under a policy that forbids style elements", async () => {
  const opened = await open(browser, address, { lang: "en" });
  const { page } = opened;
  const seen = await page.evaluate(async () => {
    const host = Object.assign(document.createElement("div"), { style: "position:fixed;inset:0;z-index:9999" });
    document.body.append(host);
    let changed = null;
    const editor = globalThis.KP_CM.create(host, { doc: "a: 1\nb: two\n", lang: "ja", ariaLabel: "manifest", onChange: (text) => (changed = text) });
    editor.setDoc("a: 1\nc: 3\n");
    const quiet = changed === null;
    editor.setDiagnostics([{ from: 5, to: 6, severity: "error", message: "unknown field", actions: [{ name: "fix", insert: "b" }] }, { from: 9999, message: "past the end" }]);
    editor.showDiff("a: 1\nb: two\n");
    await new Promise((done) => requestAnimationFrame(done));
    const inserted = host.querySelectorAll(".cm-deletedChunk").length;
    editor.showDiff(null);
    editor.setTheme(true);
    editor.setReadonly(true);
    const font = getComputedStyle(host.querySelector(".cm-scroller")).display;
    const marks = host.querySelectorAll(".cm-lintRange-error, .cm-lintPoint-error").length;
    const answer = { quiet, inserted, font, marks, text: editor.getDoc(), label: host.querySelector(".cm-content").getAttribute("aria-label") };
    editor.destroy();
    host.remove();
    return answer;
  });
  const expected = { quiet: true, inserted: 1, font: "flex", marks: 2, text: "a: 1\nc: 3\n", label: "manifest" };
  if (JSON.stringify(seen) !== JSON.stringify(expected)) throw new Error(JSON.stringify(seen));
  clean(opened);
});

share({ browser, address, start, at, type, write, written, log, running, clean });

await run((body) => body());
