// How long a visitor waits, in headless Chromium, each time in a fresh profile: `cargo xtask bench-page [RUNS]`. One JSON line with medians
// in milliseconds: first paint, the page usable (`apply` is there), and from Apply to the first pod Running (which includes the simulated
// pull and start of its image, at the speed the page opens with).

import { launch, open, serve } from "./page.mjs";

const runs = Number(process.argv[2] || 5);
const address = await serve();
const browser = await launch();
const seen = { first_paint_ms: [], usable_ms: [], apply_to_running_ms: [] };
for (let i = 0; i < runs; i++) {
  const { page, context, troubles } = await open(browser, address, { lang: "en" });
  await page.getByTestId("apply").waitFor();
  const times = await page.evaluate(() => ({
    paint: performance.getEntriesByName("first-contentful-paint")[0]?.startTime,
    // Set by the wait above at the latest; the page may mark it itself.
    usable: performance.getEntriesByName("kubenkyo-usable")[0]?.startTime ?? performance.now(),
  }));
  const running = await page.evaluate(
    () =>
      new Promise((done) => {
        const start = performance.now();
        const look = () => {
          if (document.querySelector('[data-testid="pod"][data-phase="Running"]')) done(performance.now() - start);
          else requestAnimationFrame(look);
        };
        document.querySelector('[data-testid="apply"]').click();
        look();
      }),
  );
  seen.first_paint_ms.push(times.paint);
  seen.usable_ms.push(times.usable);
  seen.apply_to_running_ms.push(running);
  if (troubles.length) console.error(troubles.join(" · "));
  await context.close();
}
const median = (values) => Math.round(values.sort((a, b) => a - b)[Math.floor(values.length / 2)]);
console.log(JSON.stringify({ bench: "page", runs, ...Object.fromEntries(Object.entries(seen).map(([name, values]) => [name, median(values)])) }));
process.exit(0);
