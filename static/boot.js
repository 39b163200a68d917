// Starts the page once every deferred script has run, and says so in words when that fails. The wasm is what the preload link names or, in
// the one-file build, the text of an element: base64 of gzip. A release has it in two parts, and loads the second, and the editor, while
// the page that the first one draws is looked at; `kubenkyo-rest` tells the page that they are there.
addEventListener("DOMContentLoaded", () => {
  const named = (rel) => document.querySelector(`link[rel="${rel}"]`);
  const link = document.querySelector('link[rel="preload"][type="application/wasm"]');
  const packed = document.getElementById("kubenkyo-wasm");
  const ja = !/^en\b/.test(navigator.language || "");
  const fail = (error) => {
    const box = document.createElement("div");
    box.setAttribute("role", "alert");
    box.className = "boot-error";
    const say = (tag, text) => box.appendChild(Object.assign(document.createElement(tag), { textContent: text }));
    say("h1", ja ? "ページを起動できませんでした" : "The page could not start");
    say("p", ja
      ? "WebAssembly に対応した新しいブラウザで、もう一度読み込んでください。"
      : "Please reload, in a current browser that runs WebAssembly.");
    say("pre", String(error));
    const again = say("button", ja ? "再読み込み" : "Reload");
    again.addEventListener("click", () => location.reload());
    document.body.append(box);
  };
  if (typeof WebAssembly !== "object" || typeof wasm_bindgen !== "function") {
    fail("WebAssembly is not available");
    return;
  }
  const unpacked = (text) => {
    let bytes;
    if (Uint8Array.fromBase64) {
      bytes = Uint8Array.fromBase64(text);
    } else {
      const letters = atob(text);
      bytes = new Uint8Array(letters.length);
      for (let i = 0; i < letters.length; i++) bytes[i] = letters.charCodeAt(i);
    }
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
  };
  const script = (href) => new Promise((done, failed) => {
    document.head.append(Object.assign(document.createElement("script"), { src: href, onload: done, onerror: () => failed(new Error(href)) }));
  });
  // A sandboxed frame and a page opened from a folder may load scripts, but fetch nothing: for them the wasm is in a script as well.
  let apart;
  const wasmOf = (href) => fetch(href)
    .then((response) => response.ok ? response : Promise.reject(new Error(`${response.url}: ${response.status}`)))
    .catch(async (error) => {
      await (apart ||= script("packed.js").catch(() => Promise.reject(error)));
      return unpacked(kubenkyoPacked[href.split("/").pop()]);
    });
  const wasm = () => packed ? unpacked(packed.textContent) : wasmOf(link.href);
  // The second part takes what the first exports, and puts its functions into the table that both use.
  const second = async (exports) => {
    const packed = document.getElementById("kubenkyo-rest");
    const answer = await (packed ? unpacked(packed.textContent) : wasmOf(named("rest").href));
    const isStream = answer instanceof Response && /^application\/wasm\b/.test(answer.headers.get("content-type"));
    const imports = { first: exports };
    return isStream
      ? WebAssembly.instantiateStreaming(answer, imports)
      : WebAssembly.instantiate(answer instanceof Response ? await answer.arrayBuffer() : answer, imports);
  };
  const patiently = async (load, tries) => {
    try {
      return await load();
    } catch (error) {
      if (tries <= 1) throw error;
      await new Promise((done) => setTimeout(done, 1000));
      apart = undefined;
      return patiently(load, tries - 1);
    }
  };
  const isCut = named("rest") || document.getElementById("kubenkyo-rest");
  if (!isCut) globalThis.kubenkyoRest = true;
  const rest = async (exports) => {
    const editor = named("rest-script");
    await Promise.all([
      patiently(() => second(exports), 4),
      // Without its script the editor is a plain text field.
      editor && patiently(() => script(editor.href), 4).catch(() => {}),
    ]);
    globalThis.kubenkyoRest = true;
    dispatchEvent(new Event("kubenkyo-rest"));
  };
  // Should a start need something of the rest before that is there, the page begins again, with everything from its start.
  const isWhole = history.state?.whole;
  const beginAgain = (error) => {
    if (globalThis.kubenkyoRest || isWhole || !(error instanceof WebAssembly.RuntimeError)) return false;
    history.replaceState({ whole: true }, "");
    location.reload();
    return true;
  };
  addEventListener("error", ({ error }) => beginAgain(error));
  const begin = async (exports) => {
    if (isCut && isWhole) await rest(exports);
    wasm_bindgen.mount();
    if (isCut && !isWhole) await rest(exports);
  };
  if (!packed) keep();
  const seen = /[?&]embed(?!=(0|no|off|false)\b)(?=[=&#]|$)/.test(location.search + location.hash) ? whenSeen() : Promise.resolve();
  seen.then(wasm).then((module_or_path) => wasm_bindgen({ module_or_path })).then(begin).catch((error) => beginAgain(error) || fail(error));
});

// An embedded page starts when it is first seen, and rests while it is not: scrolled away, or on a slide that is not shown, of which
// reveal.js tells by a message. The page reads `data-away`.
function whenSeen() {
  const root = document.documentElement;
  let isInView = false, isShown = true;
  return new Promise((start) => {
    const look = () => {
      root.toggleAttribute("data-away", !isInView || !isShown);
      if (isInView) start();
    };
    new IntersectionObserver((entries) => {
      isInView = entries[entries.length - 1].isIntersecting;
      look();
    }).observe(root);
    addEventListener("message", ({ source, data }) => {
      if (source !== parent || (data !== "slide:start" && data !== "slide:stop")) return;
      isShown = data === "slide:start";
      look();
    });
  });
}

// A release in dist/ names a manifest, and has a service worker beside it. When a newer release stands ready, the page hears of it by the
// event `kubenkyo-update`, whose detail is a function that changes over and reloads; without it the change comes at a later start.
function keep() {
  if (!document.querySelector('link[rel="manifest"]') || !("serviceWorker" in navigator)) return;
  let workers;
  try {
    workers = navigator.serviceWorker;
  } catch {
    return; // A sandboxed frame has none, and says so by an error.
  }
  const tell = (worker) => {
    const change = () => {
      workers.addEventListener("controllerchange", () => location.reload(), { once: true });
      worker.postMessage("take over");
    };
    dispatchEvent(new CustomEvent("kubenkyo-update", { detail: change }));
  };
  workers.register("sw.js").then((registration) => {
    if (registration.waiting && workers.controller) tell(registration.waiting);
    registration.addEventListener("updatefound", () => {
      const worker = registration.installing;
      worker.addEventListener("statechange", () => {
        if (worker.state === "installed" && workers.controller) tell(worker);
      });
    });
  }).catch(() => {}); // Refused in some frames and private windows: the page works all the same, online.
}
