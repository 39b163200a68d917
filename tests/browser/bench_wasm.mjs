// The cases of `kubenkyo bench` in the page's own wasm: `cargo xtask bench-wasm [CASE ...]`, the same JSON lines, each case in a page of
// its own. Seconds are of `performance.now`: the page does nothing else meanwhile, but other programs of the machine count too. Memory is that
// of the WebAssembly instance, which never shrinks. The page exports `bench(case: string, now: () => number)`.

import { launch, open, serve } from "./page.mjs";

const cases = process.argv.slice(2);
if (cases.length === 0)
  cases.push("boot", "deployment-100", "deployment-300", "deployment-1000", "bytes-per-pod", "kubectl", "seek", "idle");
const address = await serve();
const browser = await launch();
for (const name of cases) {
  const { page, context } = await open(browser, address, { lang: "en" });
  page.setDefaultTimeout(600_000);
  // Until the wasm is there, the call throws; no such case has no line.
  await page.waitForFunction(() => {
    try {
      return wasm_bindgen.bench("none", () => performance.now()) === undefined;
    } catch {
      return false;
    }
  });
  const line = await page.evaluate((name) => wasm_bindgen.bench(name, () => performance.now()) ?? null, name);
  if (line === null) {
    console.error(`there is no case ${name}`);
    process.exit(1);
  }
  console.log(line);
  await context.close();
}
process.exit(0);
