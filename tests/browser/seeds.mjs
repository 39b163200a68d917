// The same seeds in the page's own wasm: `node seeds.mjs FILE`, where FILE has a line `SEED HASH` for each seed as the native build sees it.
// The page exports `trace_hash(seed: string) -> string` (as `wasm_bindgen.trace_hash`).

import { readFileSync } from "node:fs";
import { launch, open, run, serve, test } from "./page.mjs";

const lines = readFileSync(process.argv[2], "utf8").trim().split("\n").map((line) => line.split(/\s+/));
process.argv.length = 2;
const address = await serve();
const browser = await launch();
test("each seed gives a run of its own", async () => {
  const hashes = new Set(lines.map(([, native]) => native));
  if (lines.length < 10 || hashes.size !== lines.length) throw new Error(`${lines.length} seeds, ${hashes.size} different hashes`);
});

for (const [seed, native] of lines) {
  test(`seed ${seed}: ${native}`, async () => {
    const { page } = await open(browser, address);
    // Until the wasm is there, the call throws; a seed that is no number has no hash.
    await page.waitForFunction(() => {
      try {
        return wasm_bindgen.trace_hash("none") === undefined;
      } catch {
        return false;
      }
    });
    const wasm = await page.evaluate((seed) => String(wasm_bindgen.trace_hash(seed)), seed);
    if (wasm !== native) throw new Error(`wasm gives ${wasm}`);
  });
}

await run((body) => body());
