// Decks, presenting, lessons and paper, in headless Chromium: `node present.mjs [WORD]` after `cargo xtask dist`; `cargo xtask test present`
// does both. What the page promises besides run.mjs's list, as `data-testid`:
//   slide, overview, library, library-entry, decks, next-lesson, task (data-met), cell-end, deck-problems ([data-line]), deck-refusal
//   in the speaker's window: speaker, speaker-place, speaker-now, speaker-next, speaker-notes, speaker-timer

import violations from "./axe.mjs";
import { launch, open, run, serve, single, test, until } from "./page.mjs";

const deck = `---
title: A deck from elsewhere
lang: en
marp: true
---

<!-- id: one -->
# A deck from elsewhere

* first
* second

Note:
Say hello.

---

<!--
id: two
view: tree
focus: deployment/web
-->
## Run it

\`\`\`yaml apply web.yaml
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 2
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
        image: nginx:1.27
\`\`\`

\`\`\`sh run fails
kubectl get pod nobody
\`\`\`

+++

<!-- id: three -->
## With mistakes

\`\`\`yaml aply x.yaml
a: 1
\`\`\`

<script>globalThis.ran = true</script>
<img src="data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA=" alt="" onload="globalThis.ran = true" onerror="globalThis.ran = true">
<div onclick="globalThis.ran = true" class="columns"><div>left</div><div>right</div></div>

[a link](javascript:globalThis.ran=true)
`;

const address = await serve((name, bytes) => (name === "decks/mine.md" ? Buffer.from(deck) : bytes));
const browser = await launch();
const at = (page, name) => page.getByTestId(name);

/// The page once everything of it is there.
async function start(options = {}, from = address) {
  const opened = await open(browser, from, options);
  await at(opened.page, "decks").waitFor({ state: "attached" });
  await until("the whole page", () => opened.page.evaluate(() => !("kubenkyoRest" in globalThis) || globalThis.kubenkyoRest === true));
  return opened;
}

const here = (page) => page.evaluate(() => document.querySelector(".pane.slides .slide")?.dataset.slide);
const present = (page) => page.evaluate(() => document.querySelector(".app").dataset.present);

function clean({ troubles }, but = () => false) {
  const bad = troubles.filter((trouble) => !but(trouble));
  if (bad.length) throw new Error(`on the page: ${bad.join(" · ")}`);
}

function same(what, seen, wanted) {
  if (JSON.stringify(seen) !== JSON.stringify(wanted)) throw new Error(`${what}: ${JSON.stringify(seen)}, not ${JSON.stringify(wanted)}`);
}

/// Presses a key and answers the slide then.
async function press(page, key) {
  await page.keyboard.press(key);
  await page.waitForTimeout(60);
  return here(page);
}

test("the keys of slides are those of reveal.js", async () => {
  const opened = await start({ lang: "en", path: "?deck=decks/mine.md" });
  const { page } = opened;
  await until("the deck", async () => (await here(page)) === "one");
  const ahead = () => page.locator(".slide .ahead").count();
  same("two fragments", await ahead(), 2);
  await press(page, "n");
  same("one revealed", await ahead(), 1);
  await press(page, "ArrowRight");
  same("both revealed", [await ahead(), await here(page)], [0, "one"]);
  same("right", await press(page, "ArrowRight"), "two");
  same("down", await press(page, "j"), "three");
  same("up", await press(page, "k"), "two");
  same("home", await press(page, "Home"), "one");
  same("end", await press(page, "End"), "three");
  same("previous", await press(page, "p"), "two");
  await press(page, "o");
  same("pictures of all slides", await at(page, "overview").locator("li .slide").count(), 3);
  same("arrows move in the overview", await press(page, "ArrowDown"), "three");
  await press(page, "Escape");
  same("overview closed", await at(page, "overview").count(), 0);
  await press(page, "f");
  await press(page, "k");
  same("the cluster beside a slide that has cells", [await here(page), await present(page), await page.locator(".pane.stage").isVisible()], ["two", "both", true]);
  await press(page, "Home");
  same("a slide without cells stands alone", [await present(page), await page.locator(".pane.stage").isVisible(), await page.locator("header.top").isVisible()], ["slide", false, false]);
  await press(page, "c");
  same("the cluster when asked for", await present(page), "both");
  for (const key of ["b", "."]) {
    await press(page, key);
    same(`black by ${key}`, await page.locator(".black").count(), 1);
    await press(page, key);
    same(`back by ${key}`, await page.locator(".black").count(), 0);
  }
  await press(page, "?");
  await page.getByRole("dialog").waitFor();
  await press(page, "Escape");
  same("help closed", await page.getByRole("dialog").count(), 0);
  await press(page, "f");
  same("the page again", await present(page), undefined);
  clean(opened);
});

for (const from of ["a server", "a file with the network off"]) {
  test(`the speaker's window stays in step, from ${from}`, async () => {
    const opened = await (from === "a server" ? start({ lang: "en" }) : start({ lang: "en", offline: true }, single));
    const { page, context } = opened;
    const [speaker] = await Promise.all([context.waitForEvent("page"), page.keyboard.press("s")]);
    speaker.on("pageerror", (error) => opened.troubles.push(`speaker: ${error.message}`));
    const place = () => at(speaker, "speaker-place").innerText();
    const shown = () => speaker.evaluate(() => document.querySelector("[data-testid=speaker-now] .slide").dataset.slide);
    await until("the notes", async () => (await at(speaker, "speaker-notes").innerText()).length > 40);
    same("styled", await speaker.evaluate(() => getComputedStyle(document.querySelector(".speaker")).display), "grid");
    await page.keyboard.press("End");
    await until("the last slide there too", async () => (await shown()) === (await here(page)) && / 80 \/ 80$/.test(await place()));
    await speaker.keyboard.press("Home");
    await until("the first slide here too", async () => /#\/kubernetes|1 \/ 80/.test(await place()) && (await shown()) === (await here(page)));
    const before = await here(page);
    for (let i = 0; i < 12 && (await here(page)) === before; i++) await speaker.getByRole("button", { name: "On", exact: true }).click();
    await until("on, by its button", async () => (await here(page)) !== before && (await shown()) === (await here(page)));
    const next = await speaker.evaluate(() => document.querySelector("[data-testid=speaker-next] .slide").dataset.slide);
    if (!next) throw new Error("no next slide");
    await at(page, "lang-ja").click();
    await until("Japanese there too", () => speaker.evaluate(() => document.documentElement.lang === "ja"));
    await page.keyboard.press("s");
    await until("the window closed", async () => speaker.isClosed());
    clean(opened);
  });
}

test("a deck from the page's own place: shown, its mistakes named with slide and line, nothing of it executed", async () => {
  const opened = await start({ lang: "ja", path: "?deck=decks/mine.md" });
  const { page } = opened;
  await until("the deck in its own language", () => page.evaluate(() => document.documentElement.lang === "en"));
  await page.keyboard.press("End");
  await until("its last slide", async () => (await here(page)) === "three");
  const wanted = deck.split("\n").flatMap((line, index) => (/aply|<script>|onerror|javascript:/.test(line) ? [index + 1] : []));
  const lines = await at(page, "deck-problems").locator("[data-line]").evaluateAll((all) => all.map((item) => Number(item.dataset.line)));
  for (const line of wanted.slice(0, 2)) if (!lines.includes(line)) throw new Error(`problems at ${lines}, none at ${line}`);
  same("no script, no handler", await page.evaluate(() => [globalThis.ran, document.querySelectorAll("main script, main [onclick], main [onerror], main a[href^=javascript]").length]), [undefined, 0]);
  clean(opened);
});

test("decks of other hosts are refused in words and never asked for; one that is not there is told", async () => {
  const foreign = await start({ lang: "en", path: "?deck=https://example.com/deck.md" });
  await until("the refusal", async () => /own place/.test(await at(foreign.page, "deck-refusal").innerText()));
  clean(foreign);
  const missing = await start({ lang: "en", path: "?deck=decks/none.md" });
  await until("the answer", async () => /404/.test(await at(missing.page, "deck-refusal").innerText()));
  clean(missing, (trouble) => /404/.test(trouble));
});

test("cells tell how they ended, one that is meant to fail too, and long ones fold", async () => {
  const opened = await start({ lang: "en", path: "?deck=decks/mine.md#/two" });
  const { page } = opened;
  await until("the slide", async () => (await here(page)) === "two");
  const cells = page.locator(".pane.slides .cell");
  same("folded", await cells.nth(0).locator(".folded").count(), 1);
  await cells.nth(0).locator(".unfold").click();
  same("unfolded", await cells.nth(0).locator(".folded").count(), 0);
  await cells.nth(1).getByRole("button", { name: "Run" }).click();
  await until("its failure, as meant", async () => /as it should be.*NotFound/s.test(await cells.nth(1).getByTestId("cell-end").innerText()));
  await cells.nth(0).getByRole("button", { name: "Apply" }).click();
  await until("applied", async () => /Applied/.test(await cells.nth(0).getByTestId("cell-end").innerText()));
  await until("what the slide speaks of, marked in the tree", () => page.evaluate(() => document.querySelector(".tree .card.focus")?.innerText.includes("web")));
  clean(opened);
});

test("a lesson: its scene, a mistake noticed, green by another way than its own, kept over a reload", async () => {
  const opened = await start({ lang: "en" });
  const { page } = opened;
  await at(page, "decks").click();
  await at(page, "library-entry").nth(1).click();
  for (let i = 0; i < 12 && (await at(page, "task").count()) === 0; i++) await press(page, "n");
  same("not met by nothing", await at(page, "task").getAttribute("data-met"), "false");
  const type = async (line) => {
    await at(page, "terminal-input").fill(line);
    await at(page, "terminal-input").press("Enter");
  };
  await type("kubectl create deployment hello --image=nginx:1.27");
  await until("the mistake", async () => (await page.locator(".task .mistake").count()) === 1);
  await type("kubectl delete deployment hello");
  await type(`echo '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"hello"},"spec":{"containers":[{"name":"any","image":"nginx:1.27"}]}}' | kubectl apply -f -`);
  await until("green", async () => (await at(page, "task").getAttribute("data-met")) === "true", 90);
  await page.waitForTimeout(1_500);
  await page.reload();
  await at(page, "decks").click();
  await until("the list with what is done", async () => (await page.locator("[data-testid=library-entry][data-done=true]").count()) === 1);
  clean(opened);
});

test("paper: a page for each slide, with the cluster after it", async () => {
  const opened = await start({ lang: "en", path: "?print-pdf&deck=decks/mine.md" });
  const { page } = opened;
  await until("the pages", () => page.evaluate(() => document.documentElement.dataset.paper === "ready" && document.querySelectorAll(".paper .page").length === 3), 120);
  same("the slide's Deployment, ready", await page.evaluate(() => [...document.querySelectorAll(".paper aside .card")].some((card) => /Deployment/.test(card.innerText) && /web/.test(card.innerText) && /2 \/ 2/.test(card.innerText))), true);
  same("nothing hangs over", await page.evaluate(() => [...document.querySelectorAll(".paper .page")].filter((sheet) => sheet.querySelector(".slide").scrollHeight > sheet.clientHeight).length), 0);
  const pdf = String(await page.pdf({ preferCSSPageSize: true, printBackground: true }).then((bytes) => bytes.toString("latin1")));
  same("pages of the PDF", (pdf.match(/\/Type \/Page\b(?!s)/g) || []).length, 3);
  clean(opened);
});

for (const lang of ["ja", "en"]) {
  for (const dark of [false, true]) {
    test(`axe finds nothing while presenting, ${lang}, ${dark ? "dark" : "light"}`, async () => {
      const opened = await start({ lang, dark, path: "#/deployment" });
      const { page, context } = opened;
      const found = [];
      const look = async (what, where = page) => found.push(...(await violations(where)).map((violation) => `${what}: ${violation}`));
      await page.keyboard.press("o");
      await at(page, "overview").waitFor();
      await look("overview");
      await page.keyboard.press("Escape");
      await at(page, "decks").click();
      await at(page, "library").waitFor();
      await look("decks and lessons");
      await page.keyboard.press("Escape");
      await page.keyboard.press("?");
      await look("keys");
      await page.keyboard.press("Escape");
      const [speaker] = await Promise.all([context.waitForEvent("page"), page.keyboard.press("s")]);
      await at(speaker, "speaker").waitFor();
      await look("speaker", speaker);
      await page.keyboard.press("s");
      await page.keyboard.press("f");
      await until("the whole screen", async () => (await present(page)) === "both");
      // Its buttons fade away.
      await page.waitForTimeout(600);
      await look("whole screen");
      if (found.length) throw new Error(found.join("\n"));
      clean(opened);
    });
  }
}

await run((body) => body());
