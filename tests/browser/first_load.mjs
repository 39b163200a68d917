// Which functions the start of the page runs, for `cargo xtask first-load`: `node first_load.mjs BASE COUNT`, where the wasm in the folder
// writes a one to the byte BASE + n when its n-th function runs. The rest of the program never comes, and the clock runs fast, so that what an
// idle cluster does now and then is seen. The last line has a digit for each function.

import { launch, serve } from "./page.mjs";

const [base, count] = process.argv.slice(2).map(Number);
const address = await serve((name, bytes) => {
  if (!/^boot.*\.js$/.test(name)) return bytes;
  const text = bytes.toString();
  const watched = text
    .replace("globalThis.kubenkyoRest = true", "globalThis.kubenkyoRest = globalThis.isBefore")
    .replace(".then(begin)", ".then((exports) => { globalThis.exports = exports; wasm_bindgen.mount(); })");
  if (!watched.includes("globalThis.exports")) throw new Error("boot.js starts the page in another way");
  return Buffer.from(watched);
});
const browser = await launch();
const ran = new Array(count).fill(0);
const kept = { theme: "dark", size: "projector", speed: "100", slide: "pods", lang: "en" };
const starts = [
  { locale: "ja-JP", colorScheme: "light", viewport: { width: 1440, height: 900 }, kept: {} },
  { locale: "en-US", colorScheme: "dark", viewport: { width: 1024, height: 768 } },
  { locale: "en-US", colorScheme: "light", viewport: { width: 390, height: 844 } },
  { locale: "ja-JP", colorScheme: "dark", viewport: { width: 1440, height: 900 }, kept },
  { locale: "en-US", colorScheme: "light", viewport: { width: 800, height: 500 }, query: "?embed&view=architecture" },
  { locale: "ja-JP", colorScheme: "light", viewport: { width: 800, height: 500 }, query: "?embed&view=slide,terminal", reducedMotion: "reduce" },
  // After a reload in the middle of something.
  { locale: "en-US", colorScheme: "light", viewport: { width: 1440, height: 900 }, before: async (page) => {
    await page.getByTestId("decks").click();
    await page.getByTestId("library-entry").nth(1).click();
    for (const key of ["n", "n"]) await page.keyboard.press(key);
    await type(page, "kubectl run hello --image=nginx:1.27", "kubectl create deployment web --image=nginx:1.27 --replicas=3", "kubectl get pods -o wide");
  } },
  { locale: "ja-JP", colorScheme: "light", viewport: { width: 1440, height: 900 }, before: async (page) => {
    await page.getByTestId("apply").click();
    await type(page, "kubectl get pods -w");
  } },
  // As in a frame without rights.
  { locale: "en-US", colorScheme: "light", viewport: { width: 800, height: 500 }, query: "?embed&origin=http://host.example", isRefused: true },
];
async function type(page, ...lines) {
  for (const line of lines) {
    await page.getByTestId("terminal-input").fill(line);
    await page.getByTestId("terminal-input").press("Enter");
  }
  await page.waitForTimeout(5000);
}
for (const { kept = { speed: "100" }, query = "", isRefused = false, before, ...options } of starts) {
  const context = await browser.newContext(options);
  await context.addInitScript(([kept, isRefused, hasBefore]) => {
    if (isRefused) {
      const refuse = { get: () => { throw new DOMException("refused", "SecurityError"); } };
      Object.defineProperties(window, { localStorage: refuse, sessionStorage: refuse });
      return;
    }
    globalThis.isBefore = hasBefore && !sessionStorage.getItem("before");
    for (const [name, value] of Object.entries(kept)) localStorage.setItem(`kubenkyo:v1:${name}`, value);
  }, [kept, isRefused, Boolean(before)]);
  const page = await context.newPage();
  const troubles = [];
  page.on("pageerror", (error) => troubles.push(error.message));
  await page.goto(address + query);
  await page.waitForFunction(() => globalThis.exports);
  if (before) {
    await before(page);
    await page.evaluate(() => sessionStorage.setItem("before", "done"));
    await page.reload();
    await page.waitForFunction(() => globalThis.exports);
  }
  await page.waitForTimeout(4000);
  // What concerns the look alone is done without the rest; keys and clicks are taken in all the same.
  for (const key of ["Tab", "ArrowRight", "Escape", "t", "?", "End"]) await page.keyboard.press(key);
  for (const button of await page.locator("button:visible, [role=tab]:visible, [role=separator]:visible, a:visible").all()) {
    await button.click({ timeout: 500 }).catch(() => {});
    if (page.url().split("#")[0] !== address + query) await page.goto(address + query);
  }
  for (const field of await page.locator("textarea:visible, input:visible").all()) {
    await field.pressSequentially("kubectl get pods", { timeout: 500 }).catch(() => {});
    await field.press("Enter", { timeout: 500 }).catch(() => {});
  }
  await page.setViewportSize({ width: 700, height: 700 });
  await page.waitForTimeout(8000);
  const marks = await page.evaluate(
    ([base, count]) => Array.from(new Uint8Array(globalThis.exports.memory.buffer, base, count)), [base, count]);
  if (troubles.length) console.log(`   on the page: ${troubles.join(" · ")}`);
  marks.forEach((mark, at) => (ran[at] |= mark));
  console.log(`${JSON.stringify(options.viewport)}: ${ran.filter(Boolean).length} of ${count} functions`);
  await context.close();
}
await browser.close();
console.log(ran.join(""));
process.exit(0);
