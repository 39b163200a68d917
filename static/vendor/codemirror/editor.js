// The page's editor. build.sh bundles this file with CodeMirror 6 into codemirror.js, which sets `globalThis.KP_CM`.
//
//   KP_CM.create(parent, options) -> handle
//
// options (all may be left out)
//   doc         the text                            syntax    "yaml" (default) or "plain"
//   lang        "ja" or "en": the editor's own words dark      whether the page is dark
//   readonly    whether typing is refused            ariaLabel what a screen reader calls it
//   onChange(text)          after every change by the user
//   onSubmit()              Ctrl/Cmd+Enter
//   complete(pos, text)     -> [{label, type, detail, info, apply}] or {from, options: […]} or null; may be a promise
//   hover(pos, text)        -> a string (blank lines separate paragraphs) or null; may be a promise
//
// handle
//   setDoc(text)  getDoc()  focus()  destroy()  setTheme(dark)  setReadonly(on)  setLang(lang)  setLabel(text)
//   setDiagnostics([{from, to, severity: "error"|"warning"|"info", message, path?, hint?, actions?: [{name, insert}]}])
//               an action replaces the diagnostic's range by `insert`; beneath its line stands `path`, `message`, `hint` and the actions
//   reveal(from[, to])      selects and scrolls there
//   showDiff(original)      shows what differs from `original`; null ends it
//
// Positions are UTF-16 offsets, as JavaScript counts; they are brought into the document when it has changed meanwhile.
// Colours and fonts come from the page's CSS variables. Nothing is fetched and no style element is made, so that it runs under
// `style-src 'self'`.

import { acceptCompletion, autocompletion, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import { bracketMatching, foldGutter, foldKeymap, HighlightStyle, indentOnInput, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { lintKeymap, setDiagnostics } from "@codemirror/lint";
import { unifiedMergeView } from "@codemirror/merge";
import { highlightSelectionMatches, search, searchKeymap } from "@codemirror/search";
import { Annotation, Compartment, EditorState, Prec, StateEffect, StateField } from "@codemirror/state";
import {
  Decoration, drawSelection, EditorView, highlightActiveLine, highlightActiveLineGutter, hoverTooltip, keymap, lineNumbers, placeholder, WidgetType,
} from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { StyleModule } from "style-mod";

// style-mod writes a <style> element into a document, which a strict Content-Security-Policy refuses; a constructed sheet is not inline.
if (typeof CSSStyleSheet === "function" && "replaceSync" in CSSStyleSheet.prototype && "adoptedStyleSheets" in Document.prototype) {
  const mounted = new WeakMap();
  StyleModule.mount = (root, modules) => {
    const wanted = Array.isArray(modules) ? modules : [modules];
    let set = mounted.get(root);
    if (!set) {
      set = { modules: [], sheet: new CSSStyleSheet() };
      mounted.set(root, set);
      root.adoptedStyleSheets = [set.sheet, ...root.adoptedStyleSheets];
    }
    if (wanted.every((module) => set.modules.includes(module))) return;
    set.modules = [...wanted, ...set.modules.filter((module) => !wanted.includes(module))];
    set.sheet.replaceSync(set.modules.map((module) => module.getRules()).join("\n"));
  };
}

const fromPage = Annotation.define();

const look = {
  "&": { height: "100%", color: "var(--text)", backgroundColor: "var(--panel)", fontSize: "var(--code-size, 0.875rem)" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--mono, ui-monospace, monospace)", lineHeight: "1.55" },
  ".cm-content": { caretColor: "var(--accent)", padding: "8px 0" },
  ".cm-cursor, .cm-dropCursor": { borderLeftColor: "var(--accent)", borderLeftWidth: "2px" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground, .cm-content ::selection": {
    backgroundColor: "var(--selection, color-mix(in srgb, var(--accent) 24%, transparent)) !important",
  },
  ".cm-activeLine": { backgroundColor: "var(--active-line, color-mix(in srgb, var(--text) 4%, transparent))" },
  ".cm-gutters": { backgroundColor: "var(--panel)", color: "var(--muted)", border: "none" },
  ".cm-activeLineGutter": { backgroundColor: "var(--active-line, color-mix(in srgb, var(--text) 4%, transparent))", color: "var(--text)" },
  ".cm-matchingBracket, &.cm-focused .cm-matchingBracket": { backgroundColor: "transparent", outline: "1px solid var(--muted)" },
  ".cm-selectionMatch": { backgroundColor: "color-mix(in srgb, var(--accent) 14%, transparent)" },
  ".cm-placeholder": { color: "var(--muted)" },
  ".cm-foldPlaceholder": { backgroundColor: "transparent", border: "1px solid var(--line)", color: "var(--muted)" },
  ".cm-tooltip": {
    color: "var(--text)", backgroundColor: "var(--panel)", border: "1px solid var(--line)", borderRadius: "6px",
    boxShadow: "0 4px 16px rgb(0 0 0 / 0.16)", maxWidth: "min(32rem, 90vw)",
  },
  ".cm-tooltip-hover p": { margin: "0", padding: "4px 10px", whiteSpace: "pre-wrap" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": { fontFamily: "var(--mono, ui-monospace, monospace)", maxHeight: "14em" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li": { padding: "2px 10px" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected]": { backgroundColor: "var(--accent)", color: "var(--on-accent, var(--panel))" },
  ".cm-completionDetail": { fontStyle: "normal", opacity: "0.8", marginLeft: "1em" },
  ".cm-tooltip.cm-completionInfo": { padding: "6px 10px", whiteSpace: "pre-wrap" },
  ".cm-diagnostic": { padding: "4px 10px", borderLeftWidth: "3px" },
  ".cm-diagnostic-error": { borderLeftColor: "var(--error, #c0392b)" },
  ".cm-diagnostic-warning": { borderLeftColor: "var(--warning, #b7791f)" },
  ".cm-diagnostic-info": { borderLeftColor: "var(--accent)" },
  ".cm-diagnosticAction": { backgroundColor: "var(--accent)", color: "var(--on-accent, var(--panel))", borderRadius: "4px", padding: "2px 8px" },
  ".cm-problem": {
    margin: "2px 12px 4px 4px", padding: "3px 10px", borderLeft: "2px solid var(--error, #c0392b)", backgroundColor: "var(--sunk, transparent)",
    fontFamily: "var(--sans, sans-serif)", lineHeight: "1.5", whiteSpace: "normal", overflowWrap: "anywhere", maxWidth: "calc(100cqw - 70px)",
  },
  ".cm-problem-warning": { borderLeftColor: "var(--warning, #b7791f)" },
  ".cm-problem b": { fontFamily: "var(--mono, monospace)", fontSize: "0.96em", fontWeight: "600" },
  ".cm-problem span": { color: "var(--muted)" },
  ".cm-problem button": { border: "0", background: "none", padding: "0", font: "inherit", color: "var(--accent)", cursor: "pointer", textDecoration: "underline" },
  ".cm-lintRange-error, .cm-lintRange-warning, .cm-lintRange-info": {
    backgroundImage: "none", textDecoration: "underline wavy 1px", textUnderlineOffset: "3px",
  },
  ".cm-lintRange-error": { textDecorationColor: "var(--error, #c0392b)" },
  ".cm-lintRange-warning": { textDecorationColor: "var(--warning, #b7791f)" },
  ".cm-lintRange-info": { textDecorationColor: "var(--accent)" },
  ".cm-panels": { color: "var(--text)", backgroundColor: "var(--bg)" },
  ".cm-panels.cm-panels-top": { borderBottom: "1px solid var(--line)" },
  ".cm-panels.cm-panels-bottom": { borderTop: "1px solid var(--line)" },
  ".cm-panel.cm-search [name=close], .cm-panel.cm-panel-lint [name=close]": { color: "var(--text)" },
  ".cm-textfield, .cm-button": {
    color: "var(--text)", backgroundColor: "var(--panel)", backgroundImage: "none", border: "1px solid var(--line)", borderRadius: "4px",
  },
  ".cm-panel.cm-panel-lint ul [aria-selected]": { backgroundColor: "color-mix(in srgb, var(--accent) 18%, transparent)" },
  "&.cm-merge-b .cm-changedLine, .cm-inlineChangedLine": { backgroundColor: "color-mix(in srgb, var(--added, #2e8b57) 14%, transparent)" },
  "&.cm-merge-b .cm-changedText": { background: "color-mix(in srgb, var(--added, #2e8b57) 30%, transparent)" },
  ".cm-deletedChunk": { backgroundColor: "color-mix(in srgb, var(--error, #c0392b) 12%, transparent)", color: "var(--text)" },
  ".cm-deletedChunk .cm-deletedText": { background: "color-mix(in srgb, var(--error, #c0392b) 26%, transparent)" },
};
const lightLook = EditorView.theme(look, { dark: false });
const darkLook = EditorView.theme(look, { dark: true });

// What is wrong, in words beneath the line, so that nobody has to hover for it. The list moves with the text until the next one comes.
class ProblemBox extends WidgetType {
  constructor(problem) { super(); this.problem = problem; this.key = JSON.stringify([problem.path, problem.message, problem.hint, problem.actions]); }
  eq(other) { return this.key === other.key; }
  ignoreEvent() { return false; }
  toDOM(view) {
    const { path, message, hint, actions, severity } = this.problem;
    const box = document.createElement("div");
    box.className = `cm-problem cm-problem-${severity}`;
    const add = (tag, text) => box.append(Object.assign(document.createElement(tag), { textContent: text }), " ");
    if (path) add("b", path);
    box.append(message, " ");
    if (hint) { box.append(document.createElement("br")); add("span", hint); }
    for (const { name, insert } of actions) {
      const button = Object.assign(document.createElement("button"), { type: "button", textContent: name });
      button.addEventListener("mousedown", (event) => event.preventDefault());
      button.addEventListener("click", () => {
        const found = view.state.field(problemField).shown.find((shown) => shown.problem === this.problem);
        if (found) view.dispatch({ changes: { from: found.from, to: found.to, insert }, userEvent: "input" });
      });
      box.append(button, " ");
    }
    return box;
  }
}
const setProblems = StateEffect.define();
const boxes = (doc, shown) => Decoration.set(
  shown.map(({ from, problem }) => Decoration.widget({ widget: new ProblemBox(problem), block: true, side: 1 }).range(doc.lineAt(from).to)), true);
const problemField = StateField.define({
  create: () => ({ shown: [], set: Decoration.none }),
  update(value, transaction) {
    let { shown } = value;
    const fresh = transaction.effects.find((effect) => effect.is(setProblems));
    if (fresh) shown = fresh.value;
    else if (transaction.docChanged) {
      shown = shown.map(({ from, to, problem }) => ({ from: transaction.changes.mapPos(from, 1), to: transaction.changes.mapPos(to, -1), problem }));
      shown = shown.filter(({ from, to }) => from < to);
    } else return value;
    return { shown, set: boxes(transaction.state.doc, shown) };
  },
  provide: (field) => EditorView.decorations.from(field, ({ set }) => set),
});

const colours = HighlightStyle.define([
  { tag: [tags.definition(tags.propertyName), tags.propertyName], color: "var(--syntax-key, var(--accent))" },
  { tag: [tags.string, tags.content], color: "var(--syntax-string, var(--text))" },
  { tag: [tags.number, tags.bool, tags.null, tags.atom], color: "var(--syntax-number, var(--text))" },
  { tag: [tags.comment, tags.lineComment], color: "var(--syntax-comment, var(--muted))" },
  { tag: [tags.punctuation, tags.separator, tags.squareBracket, tags.brace, tags.meta], color: "var(--muted)" },
  { tag: [tags.labelName, tags.typeName, tags.keyword], color: "var(--syntax-key, var(--accent))" },
]);

const japanese = EditorState.phrases.of({
  "Find": "検索", "Replace": "置換", "next": "次へ", "previous": "前へ", "all": "すべて選択", "match case": "大文字と小文字を区別",
  "by word": "単語単位", "regexp": "正規表現", "replace": "置換", "replace all": "すべて置換", "close": "閉じる",
  "current match": "現在の一致", "replaced $ matches": "$ 件を置換しました", "replaced match on line $": "$ 行目を置換しました",
  "on line": "行", "Go to line": "行へ移動", "go": "移動", "Completions": "候補", "Diagnostics": "問題の一覧", "No diagnostics": "問題はありません",
  "Fold line": "折りたたむ", "Unfold line": "広げる", "Folded lines": "折りたたまれた行", "Unfolded lines": "広げられた行", "folded code": "折りたたまれた部分",
  "unfold": "広げる", "to": "から", "$ unchanged lines": "変更のない $ 行", "Selection deleted": "選択範囲を削除しました",
  "Control character": "制御文字",
});

function create(parent, options = {}) {
  const theme = new Compartment(), access = new Compartment(), words = new Compartment(), diff = new Compartment(), label = new Compartment();
  const themed = (dark) => (dark ? darkLook : lightLook);
  const refused = (on) => [EditorState.readOnly.of(!!on), EditorView.editable.of(!on), on ? EditorView.contentAttributes.of({ tabindex: "0" }) : []];
  const worded = (lang) => (lang === "ja" ? japanese : []);
  const labelled = (text) => EditorView.contentAttributes.of(text ? { "aria-label": text } : {});

  const extensions = [
    lineNumbers(), foldGutter(), highlightActiveLineGutter(), highlightActiveLine(), highlightSelectionMatches(),
    history(), drawSelection(), problemField, indentOnInput(), indentUnit.of("  "), EditorState.tabSize.of(2), bracketMatching(), search({ top: true }),
    syntaxHighlighting(colours),
    options.syntax === "plain" ? [] : yaml(),
    options.complete ? autocompletion({ override: [completer(options.complete)], icons: false }) : [],
    options.hover ? hoverTooltip(hoverer(options.hover), { hoverTime: 400 }) : [],
    options.placeholder ? placeholder(options.placeholder) : [],
    options.onSubmit ? Prec.highest(keymap.of([{ key: "Mod-Enter", run: () => (options.onSubmit(), true) }])) : [],
    // Escape, then Tab, leaves the editor (CodeMirror's own way out).
    keymap.of([
      { key: "Tab", run: acceptCompletion }, ...completionKeymap, ...searchKeymap, ...historyKeymap, ...foldKeymap, ...lintKeymap,
      ...defaultKeymap, indentWithTab,
    ]),
    EditorView.updateListener.of((update) => {
      const typed = update.docChanged && !update.transactions.some((transaction) => transaction.annotation(fromPage));
      if (typed && options.onChange) options.onChange(update.state.doc.toString());
    }),
    theme.of(themed(options.dark)), access.of(refused(options.readonly)), words.of(worded(options.lang)), diff.of([]),
    label.of(labelled(options.ariaLabel)),
  ];
  const view = new EditorView({ parent, state: EditorState.create({ doc: options.doc || "", extensions }) });
  const within = (position) => Math.max(0, Math.min(Math.trunc(position) || 0, view.state.doc.length));

  return {
    setDoc(text) {
      if (text === view.state.doc.toString()) return;
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text }, annotations: fromPage.of(true) });
    },
    getDoc: () => view.state.doc.toString(),
    focus: () => view.focus(),
    destroy: () => view.destroy(),
    setTheme: (dark) => view.dispatch({ effects: theme.reconfigure(themed(dark)) }),
    setReadonly: (on) => view.dispatch({ effects: access.reconfigure(refused(on)) }),
    setLang: (lang) => view.dispatch({ effects: words.reconfigure(worded(lang)) }),
    setLabel: (text) => view.dispatch({ effects: label.reconfigure(labelled(text)) }),
    setDiagnostics(problems) {
      const shown = Array.from(problems || [], (problem) => {
        const from = within(problem.from);
        return {
          from, to: Math.max(from, within(problem.to ?? problem.from)),
          problem: { ...problem, severity: problem.severity || "error", actions: Array.from(problem.actions || []) },
        };
      });
      view.dispatch({ effects: setProblems.of(shown) });
      const diagnostics = Array.from(problems || [], (problem) => {
        const from = within(problem.from);
        const to = Math.max(from, within(problem.to ?? problem.from));
        const actions = Array.from(problem.actions || [], (action) => ({
          name: action.name,
          apply: (target, start, end) => target.dispatch({ changes: { from: start, to: end, insert: action.insert }, userEvent: "input" }),
        }));
        return { from, to, severity: problem.severity || "error", message: [problem.path, problem.message, problem.hint].filter(Boolean).join(" "), actions };
      });
      diagnostics.sort((one, other) => one.from - other.from || one.to - other.to);
      view.dispatch(setDiagnostics(view.state, diagnostics));
    },
    reveal(from, to) {
      const anchor = within(from);
      view.dispatch({
        selection: { anchor, head: to === undefined ? anchor : within(to) },
        effects: EditorView.scrollIntoView(anchor, { y: "center" }),
      });
    },
    showDiff(original) {
      const shown = original === null || original === undefined;
      view.dispatch({ effects: diff.reconfigure(shown ? [] : unifiedMergeView({ original, mergeControls: false, highlightChanges: true })) });
    },
  };
}

function completer(complete) {
  return async (context) => {
    const word = context.matchBefore(/[\w./-]*/);
    if (!context.explicit && (!word || word.from === word.to)) return null;
    const answer = await complete(context.pos, context.state.doc.toString());
    const options = Array.isArray(answer) ? answer : answer?.options;
    if (!options?.length || context.aborted) return null;
    return { from: answer.from ?? (word ? word.from : context.pos), options, validFor: /^[\w./-]*$/ };
  };
}

function hoverer(hover) {
  return async (view, pos) => {
    const text = await hover(pos, view.state.doc.toString());
    if (!text) return null;
    const word = view.state.wordAt(pos);
    return {
      pos: word ? word.from : pos,
      end: word ? word.to : pos,
      above: true,
      create() {
        const dom = document.createElement("div");
        dom.setAttribute("role", "tooltip");
        for (const paragraph of text.split(/\n{2,}/)) dom.append(Object.assign(document.createElement("p"), { textContent: paragraph }));
        return { dom };
      },
    };
  };
}

globalThis.KP_CM = { create };
