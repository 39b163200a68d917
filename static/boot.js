// Starts the page once every deferred script has run: compiles the wasm that the preload link names, and says so in words when that fails.
addEventListener("DOMContentLoaded", () => {
  const wasm = document.querySelector('link[rel="preload"][type="application/wasm"]');
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
  wasm_bindgen({ module_or_path: wasm.href }).catch(fail);
});
