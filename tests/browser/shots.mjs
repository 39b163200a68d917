// Pictures of the page for looking at, into target/shots: three sizes, both themes, both languages; and of twelve slides. `node shots.mjs` after `cargo xtask dist`.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { launch, open, root, serve } from "./page.mjs";

const folder = join(root, "target/shots");
mkdirSync(folder, { recursive: true });
const address = await serve();
const browser = await launch();
for (const [width, height] of [[1440, 900], [1024, 768], [390, 844]]) {
  for (const dark of [false, true]) {
    for (const lang of ["ja", "en"]) {
      const { page, context, troubles } = await open(browser, address, { width, height, dark, lang });
      const apply = page.getByTestId("apply");
      // On a phone the button may lie in another tab.
      if (await apply.waitFor({ timeout: 10_000 }).then(() => true, () => false)) {
        await apply.click();
        await page.waitForTimeout(9000);
      }
      const file = join(folder, `${width}x${height}-${dark ? "dark" : "light"}-${lang}.png`);
      await page.screenshot({ path: file });
      console.log(file, troubles.length ? `troubles: ${troubles.join(" · ")}` : "");
      await context.close();
    }
  }
}

// Twelve slides of each language, on a laptop and on a phone: is each readable, is anything cut off or empty?
const slides = ["kubernetes", "scaling", "self-healing", "architecture", "apply-path", "workloads", "deployment", "statefulset", "clusterip", "gateway-api", "networkpolicy", "hpa"];
mkdirSync(join(folder, "slides"), { recursive: true });
for (const [width, height] of [[1440, 900], [390, 844]]) {
  for (const lang of ["ja", "en"]) {
    const { page, context } = await open(browser, address, { width, height, lang });
    await page.getByTestId("decks").waitFor({ state: "attached" });
    if (width < 720) await page.getByTestId("tab-slides").click();
    for (const id of slides) {
      await page.evaluate((id) => { location.hash = `#/${id}`; }, id);
      await page.waitForTimeout(400);
      await page.screenshot({ path: join(folder, "slides", `${id}-${width}x${height}-${lang}.png`) });
    }
    await context.close();
  }
}
console.log(join(folder, "slides"));
await browser.close();
process.exit(0);
