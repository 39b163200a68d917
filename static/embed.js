// <kubenkyo-cluster view="tree">: Kubenkyo in your page, in a lazy frame without rights. EMBEDDING.md has the rest.
(() => {
const home = document.currentScript.src;
const params = "view slide deck scene seed nodes lang theme controls readonly autoplay speed run manifest s".split(" ");
const calls = { apply: "manifest", run: "line", seek: "to", highlight: "names", speed: "speed", slide: "slide", view: "view", play: 0, pause: 0, restart: 0, get: 0 };
const sheet = new CSSStyleSheet();
sheet.replaceSync(":where(kubenkyo-cluster){display:block;height:480px}");
document.adoptedStyleSheets.push(sheet);

class Cluster extends HTMLElement {
  static observedAttributes = ["slide", "lang", "theme"];
  #asked = new Map();
  #ready;
  #isReady;
  #seen = new IntersectionObserver((all) => all.some((one) => one.isIntersecting) && this.start(), { rootMargin: "300px" });

  connectedCallback() {
    this.frame = null;
    this.#isReady = new Promise((done) => (this.#ready = done));
    this.#seen.observe(this);
    addEventListener("message", this);
  }
  disconnectedCallback() {
    this.#seen.disconnect();
    removeEventListener("message", this);
  }
  attributeChangedCallback(name, _, value) {
    if (this.frame && value) this.send(name, { [name]: value }).catch(() => {});
  }
  start() {
    if (this.frame) return;
    const say = (name, other) => this.getAttribute(name) ?? other;
    const asked = new URLSearchParams({ embed: "", origin });
    for (const name of params) if (this.hasAttribute(name)) asked.set(name, say(name));
    const frame = (this.frame = document.createElement("iframe"));
    frame.title = this.title || "Kubenkyo";
    frame.sandbox = say("sandbox", "allow-scripts allow-popups allow-popups-to-escape-sandbox");
    frame.allow = "clipboard-write; fullscreen";
    frame.style = "border:0;width:100%;height:100%";
    const url = new URL(say("src", home.startsWith("file:") ? "kubenkyo.html" : "./"), home);
    this.at = frame.sandbox.contains("allow-same-origin") ? url.origin : "null";
    frame.src = url + "#?" + asked;
    this.replaceChildren(frame);
  }
  async send(type, fields) {
    this.start();
    if (type != "hello") await this.#isReady;
    const id = Math.random();
    this.frame.contentWindow.postMessage({ ...fields, kubenkyo: 1, type, id }, this.at == "null" ? "*" : this.at);
    return new Promise((...ends) => this.#asked.set(id, ends));
  }
  handleEvent({ source, origin, data }) {
    if (!this.frame || source != this.frame.contentWindow || origin != this.at || data?.kubenkyo != 1) return;
    const { type, id, ok } = data;
    if (type == "ready") this.send("hello").then(this.#ready, console.warn);
    const [done, fail] = this.#asked.get(id) ?? [];
    this.#asked.delete(id);
    if (done) ok ? done(data) : fail(Object.assign(Error(data.message), data));
    else this.dispatchEvent(new CustomEvent(type, { detail: data }));
  }
}
for (const call in calls) Cluster.prototype[call] = function (value) { return this.send(call, calls[call] ? { [calls[call]]: value } : {}); };
customElements.define("kubenkyo-cluster", Cluster);
})();
