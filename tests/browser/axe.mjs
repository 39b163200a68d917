// axe-core on an open page: one line for each violation, with where it is.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const source = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export default async function violations(page) {
  // evaluate, not a script element: the page's policy forbids inline scripts.
  await page.evaluate(source);
  const found = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  return found.violations.map((violation) => {
    const places = violation.nodes.slice(0, 4).map((node) => `${node.target.join(" ")} (${node.any.concat(node.all, node.none)[0]?.message ?? ""})`);
    return `${violation.id} [${violation.impact}]: ${violation.help}: ${places.join("; ")}`;
  });
}
