// Runs that come and go: links, files, reloads. And the hostile inputs of SECURITY.md's table that need a browser: each leaves a page that
// works, says why, and runs nothing of what it was given.
//
// Links are written here a second time, from the format's description in src/playground/share.rs, so that any link can be made.

import { deflateRawSync } from "node:zlib";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { open, root, test, until } from "./page.mjs";

const dictionary = readFileSync(join(root, "src/playground/share/dictionary.txt"));

/// A number in groups of seven bits.
function number(value) {
  const out = [];
  for (let rest = BigInt(value); ; rest >>= 7n) {
    if (rest < 0x80n) return Buffer.from([...out, Number(rest)]);
    out.push(Number(rest & 0x7fn) | 0x80);
  }
}

const text = (value) => Buffer.concat([number(Buffer.byteLength(value)), Buffer.from(value)]);

function checksum(bytes) {
  let sum = 0x811c9dc5;
  for (const byte of bytes) sum = Math.imul(sum ^ byte, 0x01000193) >>> 0;
  const out = Buffer.alloc(4);
  out.writeUInt32LE(sum);
  return out;
}

/// The bytes of a run. `commands`: [microseconds, line typed into the terminal].
function pack({ version = "0.1.0", seed = 7, nodes = 3, commands = [], now = 0, digest, files = [], slide = "", says }) {
  const parts = [[1], text(version), [2], number(seed), [3], number(nodes)];
  let before = 0;
  for (const [at, line] of commands) {
    parts.push([4], number(at - before), [3], number(0), text(line));
    before = at;
  }
  parts.push([5], number(now), [6], number(now));
  if (digest) parts.push([7], Buffer.from(digest, "hex"));
  for (const [name, body] of files) parts.push([8], text(name), text(body));
  parts.push([10], text(slide));
  const body = Buffer.concat(parts.map((part) => Buffer.from(part)));
  return Buffer.concat([Buffer.from([1]), checksum(body), number(says ?? body.length), deflateRawSync(body, { dictionary, level: 9 })]);
}

const link = (run) => `#/?s=${pack(run).toString("base64url")}`;
const file = (run) => Buffer.concat([Buffer.from("kubenkyo\n"), pack(run)]);

/// Gives files to the page as a drop does.
async function drop(page, files) {
  const carried = await page.evaluateHandle((files) => {
    const carried = new DataTransfer();
    for (const { name, base64, size } of files) {
      const bytes = base64 === undefined ? new Uint8Array(size) : Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
      carried.items.add(new File([bytes], name));
    }
    return carried;
  }, files.map(({ name, bytes, size }) => ({ name, size, base64: bytes && Buffer.from(bytes).toString("base64") })));
  await page.dispatchEvent("body", "drop", { dataTransfer: carried });
}

/// Pastes a text as the browser does: whoever does not prevent it gets it.
async function paste(page, selector, size) {
  return page.evaluate(([selector, size]) => {
    const data = new DataTransfer();
    data.setData("text/plain", "kind: Pod # so on\n".repeat(size / 18));
    const target = document.querySelector(selector);
    target.focus();
    return target.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
  }, [selector, size]);
}

export default function ({ browser, address, start, at, type, write, written, log, running, clean }) {
  const notices = (page) => at(page, "notices").innerText();
  const digest = (page) => at(page, "digest").innerText();

  /// The page does what it should: the terminal answers, and nothing of a text became anything else.
  async function works(opened, word = "alive") {
    const { page } = opened;
    await type(page, `echo $((40+2)) ${word}`);
    await until("the terminal's answer", async () => (await log(page)).includes(`42 ${word}`), 30);
    const made = await page.evaluate(() => globalThis.hacked || document.querySelectorAll('img[src="x"], script:not([src]), iframe, [onerror], [onload]').length);
    if (made) throw new Error(`something of the text came to life: ${made}`);
    clean(opened);
  }

  async function shared(page) {
    await at(page, "share").click();
    await at(page, "share-link").waitFor();
    return { link: await at(page, "share-link").inputValue(), digest: await digest(page) };
  }

  async function refusal(page) {
    await at(page, "refusal").waitFor();
    const said = await at(page, "sharing").innerText();
    await page.keyboard.press("Escape");
    await until("the dialog's end", async () => (await at(page, "sharing").count()) === 0, 10);
    return said;
  }

  test("a link opens the same run in another profile: trace, files, terminal, slide", async () => {
    const opened = await start({ lang: "en", path: "#/self-healing" });
    const { page } = opened;
    await at(page, "apply").click();
    await running(page, 3);
    await type(page, "kubectl scale deployment/web --replicas=2");
    await running(page, 2);
    await at(page, "pause").click();
    const given = await shared(page);
    if (given.link.length > 400) throw new Error(`the link has ${given.link.length} characters: ${given.link}`);
    const other = await open(browser, address, { lang: "ja", dark: true, path: given.link.slice(address.length) });
    await at(other.page, "pause").click();
    await running(other.page, 2);
    if (!(await log(other.page)).includes("deployment.apps/web scaled")) throw new Error(`the terminal says ${await log(other.page)}`);
    if ((await written(other.page)) !== (await written(page))) throw new Error("the editor has another text");
    if (!/self-healing$/.test(other.page.url())) throw new Error(`at ${other.page.url()}`);
    // Time has passed there until it was paused: back at the same moment, the traces are the same.
    const at_ = await at(page, "clock").innerText();
    const seconds = at_.split(":").reduce((sum, part) => sum * 60 + Number(part), 0);
    await other.page.locator(".track-box input").evaluate((slider, ms) => {
      slider.step = "any";
      slider.value = String(ms);
      slider.dispatchEvent(new InputEvent("input", { bubbles: true }));
    }, seconds * 1000);
    const there = await shared(other.page);
    if (there.digest !== given.digest) throw new Error(`${there.digest} at ${await at(other.page, "clock").innerText()}, not ${given.digest} at ${at_}`);
    clean(opened);
    clean(other);
  });

  test("a saved cluster opens by drop, after a word, and the one before can be had back", async () => {
    const opened = await start({ lang: "en" });
    const { page } = opened;
    await type(page, "kubectl create namespace before");
    await until("kubectl's answer", async () => (await log(page)).includes("namespace/before created"));
    const saved = page.waitForEvent("download");
    await at(page, "share").click();
    await at(page, "save-run").click();
    if (!/\.kubenkyo$/.test((await saved).suggestedFilename())) throw new Error("saved under another name");
    await page.keyboard.press("Escape");
    await drop(page, [{ name: "lesson.kubenkyo", bytes: file({ commands: [[1_000_000, "kubectl create namespace after"]], now: 3_000_000, files: [["theirs.yaml", "kind: Theirs"]] }) }]);
    await at(page, "open-asked").click();
    await until("their terminal", async () => (await log(page)).includes("namespace/after created"));
    if (!(await written(page)).includes("kind: Theirs")) throw new Error("their file is not open");
    await page.getByRole("button", { name: "Back to the run before" }).click();
    await until("the terminal of before", async () => (await log(page)).includes("namespace/before created"));
    if (!(await written(page)).includes("kind: Deployment")) throw new Error("the editor's file of before is lost");
    clean(opened);
  });

  test("a link of another version says so and opens after a word; a run that differs says so", async () => {
    const opened = await open(browser, address, { lang: "en", path: link({ version: "9.8.7", commands: [[0, "echo from afar"]], now: 1_000_000, digest: "0102030405060708" }) });
    const { page } = opened;
    const said = await until("the question", () => at(page, "other-version").innerText());
    if (!said.includes("9.8.7") || !said.includes("0.1.0")) throw new Error(said);
    await at(page, "open-asked").click();
    await until("the run", async () => (await log(page)).includes("from afar"));
    await until("the notice", async () => (await notices(page)).includes("another course"));
    await works(opened);
  });

  test("a reload brings the cluster, the terminal, the text and the slide back, for each tab its own", async () => {
    const opened = await start({ lang: "en", path: "#/pod" });
    const { page, context } = opened;
    await write(page, "kind: First");
    await type(page, "kubectl create namespace first");
    await until("kubectl's answer", async () => (await log(page)).includes("namespace/first created"));
    const second = await context.newPage();
    await second.goto(address);
    await at(second, "apply").waitFor();
    await until("the text written last in a new tab", async () => (await written(second)).includes("kind: First"));
    if ((await log(second)).includes("namespace/first")) throw new Error("a new tab has the cluster of another");
    await write(second, "kind: Second");
    await type(second, "kubectl create namespace second");
    await until("kubectl's answer", async () => (await log(second)).includes("namespace/second created"));
    for (const [tab, word, other] of [[page, "first", "second"], [second, "second", "first"]]) {
      await tab.waitForTimeout(2_000);
      const before = await at(tab, "clock").innerText();
      await tab.reload();
      await at(tab, "apply").waitFor();
      await until("the terminal of before", async () => (await log(tab)).includes(`namespace/${word} created`));
      if ((await at(tab, "clock").innerText()) < before) throw new Error("the clock went back");
      const now = await written(tab);
      if (!now.toLowerCase().includes(`kind: ${word}`)) throw new Error(`the text of the ${word} tab is ${now}`);
      await type(tab, "kubectl get namespaces");
      await until("the namespaces", async () => /kube-system +Active/.test(await log(tab)));
      if (new RegExp(`^${other} `, "m").test(await log(tab))) throw new Error("the namespace of another tab");
    }
    if (!page.url().endsWith("#/pod")) throw new Error(`at ${page.url()}`);
    clean(opened);
  });

  test("a dropped deck, its slide and a lesson are there after a reload; a link names the lesson", async () => {
    const opened = await start({ lang: "en" });
    const { page } = opened;
    await drop(page, [{ name: "mine.md", bytes: Buffer.from("# One\n\n---\n\n# Two of mine\n") }]);
    const slide = () => page.locator(".pane.slides").innerText();
    await until("the deck", async () => (await slide()).includes("One"));
    await page.keyboard.press("ArrowRight");
    await until("its second slide", async () => (await slide()).includes("Two of mine"));
    await page.reload();
    await at(page, "apply").waitFor();
    await until("the second slide again", async () => (await slide()).includes("Two of mine"));
    await page.goto(`${address}#/?deck=lessons/02-labels.md`);
    await page.reload();
    await at(page, "apply").waitFor();
    await until("the lesson", async () => page.url().includes("deck=lessons/"));
    await type(page, "echo in the lesson");
    await until("the answer", async () => (await log(page)).includes("in the lesson"));
    const { link: given } = await shared(page);
    if (!/#\/[^?]*\?deck=lessons\/[^&]+&s=/.test(given)) throw new Error(given);
    const other = await open(browser, address, { lang: "en", path: given.slice(address.length) });
    await until("the run", async () => (await log(other.page)).includes("in the lesson"));
    const name = /deck=[^&]+/.exec(given)[0];
    if (!other.page.url().includes(name) || other.page.url().includes("s=")) throw new Error(other.page.url());
    clean(opened);
    clean(other);
  });

  test("Ctrl+R finds earlier lines, and Escape gives back what was typed", async () => {
    const opened = await start({ lang: "en" });
    const { page } = opened;
    for (const line of ["echo one", "echo two", "ls"]) await type(page, line);
    const input = at(page, "terminal-input");
    await input.fill("echo");
    for (const expected of ["echo two", "echo one", "echo one"]) {
      await page.keyboard.press("Control+r");
      if ((await input.inputValue()) !== expected) throw new Error(`${await input.inputValue()}, not ${expected}`);
    }
    await page.keyboard.press("Escape");
    if ((await input.inputValue()) !== "echo") throw new Error("what was typed is gone");
    clean(opened);
  });

  for (const [what, says, hinder] of [
    ["full", "storage is full", () => {
      Storage.prototype.setItem = () => {
        throw new DOMException("no room", "QuotaExceededError");
      };
    }],
    ["forbidden", "allows no storage", () => {
      for (const name of ["localStorage", "sessionStorage"]) {
        Object.defineProperty(window, name, { get: () => { throw new DOMException("denied", "SecurityError"); } });
      }
    }],
  ]) {
    test(`storage that is ${what} costs persistence and one quiet message`, async () => {
      const context = await browser.newContext({ locale: "en-US", viewport: { width: 1440, height: 900 } });
      await context.addInitScript(hinder);
      const page = await context.newPage();
      page.setDefaultTimeout(30_000);
      const troubles = [];
      page.on("pageerror", (error) => troubles.push(error.message));
      await page.goto(address);
      await at(page, "apply").click();
      await running(page, 3);
      await until("the message", async () => (await notices(page)).includes(says));
      await write(page, "kind: Unkept");
      await type(page, "kubectl get pods");
      await until("kubectl's answer", async () => /web-\S+ +1\/1/.test(await log(page)));
      await page.waitForTimeout(2_000);
      if ((await page.locator(".notice").count()) !== 1) throw new Error(`more than one message: ${await notices(page)}`);
      if (!(await written(page)).includes("Unkept")) throw new Error("the text is gone");
      await works({ page, troubles });
      await context.close();
    });
  }

  test("in the past one can go on from there, and come back", async () => {
    const opened = await start({ lang: "en" });
    const { page } = opened;
    await type(page, "kubectl create namespace one");
    await until("kubectl's answer", async () => (await log(page)).includes("namespace/one created"));
    const end = await at(page, "clock").innerText();
    await at(page, "pause").click();
    await page.locator(".track-box input").evaluate((slider) => {
      slider.value = "10";
      slider.dispatchEvent(new InputEvent("input", { bubbles: true }));
    });
    await at(page, "go-on-here").click();
    await until("no way ahead any more", async () => (await at(page, "go-on-here").count()) === 0);
    await type(page, "kubectl get namespaces");
    await until("the list", async () => /kube-system +Active/.test(await log(page)));
    if (/^one +Active/m.test(await log(page))) throw new Error("the other future came anyway");
    await page.getByRole("button", { name: "Back to the run before" }).click();
    await type(page, "kubectl get namespace one");
    await at(page, "go-on-here").waitFor({ state: "detached" }).catch(() => {});
    if (end === "00:00:00.000") throw new Error("no time had passed");
    clean(opened);
  });

  // SECURITY.md: links.
  const whole = pack({ commands: [[0, "echo hello"]], now: 1_000_000 }).toString("base64url");
  const links = [
    ["its end missing", whole.slice(0, -9), /end of the link is missing/],
    ["a letter changed", `${whole.slice(0, 20)}${whole[20] === "A" ? "B" : "A"}${whole.slice(21)}`, /damaged|end of the link/],
    ["markup", "<img src=x onerror=hacked=1>", /damaged|end of the link|later/],
    ["nothing", "", /holds no cluster/],
    ["a later format", Buffer.from([9, 1, 2, 3, 4]).toString("base64url"), /later Kubenkyo \(format 9\)/],
    ["200 MB of zeros", pack({ files: [["a", "\0".repeat(200 << 20)]] }).toString("base64url"), /larger than what/],
    ["zeros that lie about their size", pack({ files: [["a", "\0".repeat(50 << 20)]], says: 99 }).toString("base64url"), /damaged/],
    ["a million machines", pack({ nodes: 1_000_000 }).toString("base64url"), /larger than what/],
    ["a thousand years", pack({ now: 3e16 }).toString("base64url"), /larger than what/],
    ["a hundred thousand commands", pack({ commands: Array.from({ length: 100_000 }, () => [0, ""]) }).toString("base64url"), /damaged|larger/],
  ];
  test("hostile links are refused in words, and the page works", async () => {
    const opened = await start({ lang: "en" });
    for (const [what, link, says] of links) {
      await opened.page.evaluate((link) => (location.hash = `#/pod?s=${link}`), link);
      const said = await refusal(opened.page);
      if (!says.test(said) || said.split("\n").length < 3) throw new Error(`${what}: ${said}`);
    }
    await works(opened);
  });

  test("a link that works for ever can be stopped, and what it did is there", async () => {
    const lines = [[0, "while true; do echo x > /dev/null; done"]];
    const opened = await open(browser, address, { lang: "en", path: link({ commands: lines, now: 30 * 24 * 3600 * 1e6 }) });
    const { page } = opened;
    await at(page, "stop-playing").click();
    await page.keyboard.press("Escape");
    await at(page, "terminal-input").focus();
    await page.keyboard.press("Control+c");
    await works(opened);
  });

  test("markup in every text of a link stays text", async () => {
    const evil = '"><img src=x onerror=hacked=1><script>hacked=2</script>';
    const opened = await open(browser, address, {
      lang: "en",
      path: link({ version: evil, slide: evil, commands: [[0, `echo '${evil}'`], [1, `kubectl create namespace '${evil}'`]], now: 2_000_000, files: [[`${evil}.yaml`, evil]] }),
    });
    await at(opened.page, "open-asked").click();
    await until("the terminal", async () => (await log(opened.page)).includes(evil));
    await at(opened.page, "share").click();
    await works({ ...opened, page: (await opened.page.keyboard.press("Escape"), opened.page) });
  });

  // SECURITY.md: files.
  test("hostile files are refused in words, and the page works", async () => {
    const opened = await start({ lang: "en" });
    const { page } = opened;
    for (const [bytes, says] of [[file({}).subarray(0, 30), /end of the link is missing|damaged/], [Buffer.from("%PDF-1.7"), /no file of a Kubenkyo cluster/]]) {
      await drop(page, [{ name: "a.kubenkyo", bytes }]);
      const said = await refusal(page);
      if (!says.test(said)) throw new Error(said);
    }
    await drop(page, [{ name: "huge.kubenkyo", size: 60 << 20 }, { name: "<img src=x onerror=hacked=1>.exe", bytes: Buffer.from("MZ") }]);
    await until("both refused", async () => /too large[\s\S]*No file that this page opens/.test(await notices(page)));
    await drop(page, [{ name: "long.yaml", size: 2 << 20 }]);
    await until("that is too much", async () => (await notices(page)).includes("too much text"));
    await drop(page, [{ name: "web.yaml", bytes: Buffer.from("kind: Dropped") }]);
    await until("the dropped manifest", async () => (await written(page)).includes("kind: Dropped"));
    await works(opened);
  });

  test("a hostile deck shows its text and runs nothing", async () => {
    const opened = await start({ lang: "en" });
    const { page } = opened;
    const deck = [
      "# A deck", "", "<script>hacked=1</script>", "<img src=x onerror=hacked=2>", "<svg onload=hacked=3></svg>", "<iframe src=javascript:hacked=4></iframe>",
      "[click me](javascript:hacked=5) ![a](javascript:hacked=6) <a href='javascript:hacked=7'>there</a>", "", "---", "", "```yaml apply", "a: [".repeat(5_000), "```",
      "", "---", "", "> ".repeat(5_000) + "deep", "", `${"*".repeat(20_000)}`, "", `${"[".repeat(20_000)}`,
    ].join("\n");
    await drop(page, [{ name: "evil.md", bytes: Buffer.from(deck) }]);
    await until("the deck", async () => (await page.locator(".pane.slides").innerText()).includes("A deck"), 30);
    for (const link of await page.locator(".pane.slides article a").all()) {
      const href = await link.getAttribute("href");
      if (/^javascript:/i.test(href ?? "")) throw new Error(`a link to ${href}`);
    }
    await works(opened);
  });

  // SECURITY.md: texts.
  test("markup in every text of a manifest stays text, wherever it is shown", async () => {
    const opened = await start({ lang: "en" });
    const { page } = opened;
    const evil = "'\\\"><img src=x onerror=hacked=1><script>hacked=2</script>{{x}}'".slice(1, -1).replaceAll("'", "");
    const said = JSON.stringify(evil);
    await write(page, `apiVersion: v1
kind: ConfigMap
metadata:
  name: evil
  annotations:
    note: ${said}
data:
  key: ${said}
---
apiVersion: v1
kind: Pod
metadata:
  name: evil
  annotations:
    kubernetes.io/description: ${said}
spec:
  containers:
  - name: c
    image: ${said}
    command: [${said}]
    args: [${said}]
    workingDir: ${said}
    env:
    - name: E
      value: ${said}
---
apiVersion: v1
kind: Pod
metadata:
  name: ${said}
  labels:
    ${said}: ${said}
spec:
  containers:
  - name: ${said}
    image: nginx
    ${said}: 1`);
    await at(page, "apply").click();
    await until("kubectl's answer", async () => (await log(page)).includes("configmap/evil created"));
    await type(page, "kubectl describe configmap evil; kubectl get configmap evil -o yaml; kubectl get events");
    await until("the description", async () => (await log(page)).includes("onerror=hacked=1"));
    await page.locator(".tabs button", { hasText: "Resource tree" }).first().click();
    await works(opened);
  });

  test("50 MB of text are refused by editor and terminal, and 10,000 levels of YAML are a problem in words", async () => {
    const opened = await start({ lang: "en" });
    const { page } = opened;
    const before = await written(page);
    for (const selector of [".cm-content", "[data-testid=terminal-input]"]) {
      if (await paste(page, selector, 50_000_004)) throw new Error(`${selector} took it`);
    }
    await until("the message", async () => (await notices(page)).includes("50.1 MB"));
    if ((await written(page)) !== before) throw new Error("the editor's text changed");
    for (const text of [`${"- ".repeat(10_000)}x`, `${"{a: ".repeat(10_000)}1${"}".repeat(10_000)}`, `a: &a [x,x]\n${Array.from({ length: 30 }, (_, i) => `${"bcdefghijklmnopqrstuvwxyzABCDEFG"[i]}: &${"bcdefghijklmnopqrstuvwxyzABCDEFG"[i]} [*${"abcdefghijklmnopqrstuvwxyzABCDEF"[i]},*${"abcdefghijklmnopqrstuvwxyzABCDEF"[i]}]`).join("\n")}`]) {
      await write(page, text);
      await at(page, "apply").click();
      await until("a problem", async () => (await at(page, "problems").locator("[data-line]").count()) > 0, 20);
    }
    await works(opened);
  });

  test("the page carries its policy: nothing from elsewhere, no inline scripts, and the one file asks for nothing at all", async () => {
    const opened = await start({ lang: "en" });
    const seen = await opened.page.evaluate(() => ({
      policy: document.querySelector('meta[http-equiv="Content-Security-Policy"]')?.content ?? "",
      inline: [...document.scripts].filter((script) => !script.src).length,
      styles: document.querySelectorAll("style").length,
      handlers: [...document.querySelectorAll("*")].filter((element) => [...element.attributes].some(({ name }) => /^on/.test(name))).length,
    }));
    const rule = (policy, name) => policy.split(";").map((rule) => rule.trim().split(/\s+/)).find((words) => words[0] === name)?.slice(1).join(" ");
    if (rule(seen.policy, "connect-src") !== "'self'") throw new Error(`connect-src ${rule(seen.policy, "connect-src")}`);
    if (/unsafe-inline|unsafe-eval'/.test((rule(seen.policy, "script-src") ?? "'unsafe-inline'").replace("'wasm-unsafe-eval'", ""))) throw new Error(seen.policy);
    if (seen.inline || seen.handlers) throw new Error(`${seen.inline} inline scripts, ${seen.handlers} handlers`);
    clean(opened);
    const html = readFileSync(join(process.env.KUBENKYO_DIST || join(root, "dist"), "kubenkyo.html"), "utf8");
    const policy = html.match(/http-equiv="Content-Security-Policy" content="([^"]*)"/)?.[1] ?? "";
    if (rule(policy, "connect-src") !== "'none'" || rule(policy, "default-src") !== "'none'") throw new Error(policy);
  });
}
