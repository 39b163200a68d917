// Pictures of the page for looking at, into target/shots: three sizes, both themes, both languages. `node shots.mjs` after `cargo xtask dist`.

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
await browser.close();
process.exit(0);
