import { serve, launch } from "./page.mjs";
import { readFileSync, writeFileSync } from "node:fs";
const meta = JSON.parse(readFileSync("/tmp/sz/traced.wasm.json","utf8").replace(/\\'/g,"'").replace(/\\u\{([0-9a-f]+)\}/g,"?"));
const b = await launch();
const ran = new Set();
for (const [lang,scheme,w,h] of [["ja","light",1440,900],["en","dark",390,844],["en","light",1024,768]]) {
  const address = await serve((n,x)=> n==="boot.js" ? Buffer.from(x.toString().replace("wasm_bindgen({ module_or_path })","wasm_bindgen({ module_or_path }).then((w)=>{globalThis.zz=w})")) : x);
  const ctx = await b.newContext({viewport:{width:w,height:h},locale:lang==="ja"?"ja-JP":"en-US",colorScheme:scheme});
  const p = await ctx.newPage();
  p.on("pageerror",e=>console.log("ERR",e.message)); p.on("console",m=>console.log("CON",m.text().slice(0,200)));
  await p.goto(address);
  await p.waitForTimeout(+(process.env.WAIT||20000));
  const hit = await p.evaluate(({base,n})=>Array.from(new Uint8Array(globalThis.zz.memory.buffer,base,n)),{base:meta.base,n:meta.names.length});
  hit.forEach((x,i)=>{ if(x) ran.add(i); });
  console.log(lang,w,ran.size,"of",meta.names.length);
  await p.screenshot({path:`/tmp/sz/t-${w}.png`});
}
await b.close();
writeFileSync("/tmp/sz/ran.json",JSON.stringify([...ran].sort((a,b)=>a-b)));
