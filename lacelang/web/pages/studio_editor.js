// The program's editor: CodeMirror in a shadow root, where its style sheets need no inline styles.
import {
  Decoration, EditorState, EditorView, HighlightStyle, StateEffect, StateField, StreamLanguage,
  Transaction, autocompletion, bracketMatching, closeBrackets, closeBracketsKeymap,
  completionKeymap, defaultKeymap, drawSelection, highlightActiveLine, highlightSpecialChars,
  history, historyKeymap, hoverTooltip, indentUnit, keymap, lineNumbers, lintGutter, lintKeymap,
  setDiagnostics, syntaxHighlighting, tags,
} from "./codemirror.js";
import { element } from "./studio_ask.js";

const theme = EditorView.theme({
  "&": { color: "var(--ink)", backgroundColor: "var(--panel)", fontSize: "0.95rem", borderRadius: "8px" },
  "&.cm-focused": { outline: "3px solid var(--accent)", outlineOffset: "2px" },
  ".cm-scroller": { fontFamily: 'ui-monospace, "DejaVu Sans Mono", monospace', minHeight: "10rem", maxHeight: "50vh" },
  ".cm-content": { caretColor: "var(--ink)", padding: "0.6rem 0" },
  ".cm-gutters": { backgroundColor: "var(--panel)", color: "var(--soft)", border: "0", borderRadius: "8px 0 0 8px" },
  ".cm-activeLine": { backgroundColor: "color-mix(in srgb, var(--accent) 8%, transparent)" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    background: "color-mix(in srgb, var(--accent) 30%, transparent)",
  },
  ".cm-tooltip": { backgroundColor: "var(--panel)", color: "var(--ink)", border: "1px solid var(--line)", borderRadius: "6px", maxWidth: "32rem" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected]": { background: "var(--accent)", color: "var(--on-accent)" },
  ".cm-completionDetail": { fontStyle: "normal", color: "inherit", opacity: "0.75" },
  ".cm-matchingBracket, &.cm-focused .cm-matchingBracket": { backgroundColor: "transparent", outline: "1px solid var(--accent)" },
  // The component's own marks are pictures in data addresses, which the page does not allow.
  ".cm-lintRange": { backgroundImage: "none !important", textDecoration: "underline wavy var(--bad)", textDecorationSkipInk: "none" },
  ".cm-lintRange-warning": { textDecorationColor: "var(--soft)" },
  ".cm-lint-marker": { content: "normal !important", width: "0.7em", height: "0.7em", borderRadius: "50%", backgroundColor: "var(--bad)" },
  ".cm-lint-marker-warning": { backgroundColor: "var(--soft)" },
  ".cm-diagnostic": { whiteSpace: "pre-wrap", borderLeftColor: "var(--bad)" },
  ".cm-diagnosticAction": { backgroundColor: "var(--accent)", color: "var(--on-accent)" },
  ".cm-hover": { padding: "0.2rem 0.7rem", maxHeight: "18rem", overflow: "auto", fontSize: "0.9rem" },
  ".cm-hover p, .cm-hover pre, .cm-hover ul": { margin: "0.35rem 0" },
  ".cm-hover ul": { paddingLeft: "1.2rem" },
  ".cm-target": { boxShadow: "inset 3px 0 var(--accent)" },
});

const colours = HighlightStyle.define([
  { tag: tags.keyword, color: "var(--accent)", fontWeight: "bold" },
  { tag: [tags.string, tags.number, tags.unit], color: "var(--good)" },
  { tag: tags.comment, color: "var(--soft)", fontStyle: "italic" },
]);

// Tokens of one line each; the keywords are the grammar's.
function lace(keywords) {
  const known = new Set(keywords);
  return StreamLanguage.define({
    name: "lace",
    token(stream) {
      if (stream.eatSpace()) return null;
      if (stream.match(/^#.*/)) return "comment";
      if (stream.match(/^"[^"]*"?/)) return "string";
      if (stream.match(/^-?\d+(\.\d+)?([eE][-+]?\d+)?/)) return "number";
      const word = stream.match(/^[\p{L}_][\p{L}\p{N}\p{M}_]*/u);
      if (word) return known.has(word[0]) ? "keyword" : "variableName";
      stream.next();
      return null;
    },
    languageData: { commentTokens: { line: "#" }, closeBrackets: { brackets: ["(", "[", "{", '"'] } },
  });
}

// What descriptions have of Markdown: fences, lists, bold, code.
function markdown(text) {
  const inline = (line) => line.split(/(\*\*.+?\*\*(?!\*)|`[^`]+`)/).map((part) => {
    if (part.startsWith("**")) return element("strong", {}, ...inline(part.slice(2, -2)));
    if (part.startsWith("`")) return element("code", { text: part.slice(1, -1) });
    return part.replace(/\\([^\w\s])/g, "$1");
  });
  return text.split(/^(```+.*\n[\s\S]*?\n```+)$/m).flatMap((block) => {
    if (block.startsWith("```")) return [element("pre", { text: block.split("\n").slice(1, -1).join("\n") })];
    return block.split(/\n\s*\n/).filter((part) => part.trim()).map((part) => {
      if (part.trim() === "---") return element("hr");
      const lines = part.trim().split("\n");
      if (lines.every((line) => line.startsWith("- "))) {
        return element("ul", {}, ...lines.map((line) => element("li", {}, ...inline(line.slice(2)))));
      }
      return element("p", {}, ...inline(lines.join(" ")));
    });
  });
}

const setTarget = StateEffect.define();
const targetMark = StateField.define({
  create: () => Decoration.none,
  update(marks, transaction) {
    marks = marks.map(transaction.changes);
    for (const effect of transaction.effects) {
      if (!effect.is(setTarget)) continue;
      const lines = [];
      if (effect.value) {
        const { doc } = transaction.state;
        const end = Math.min(effect.value.to, doc.length);
        for (let at = Math.min(effect.value.from, end); ;) {
          const line = doc.lineAt(at);
          lines.push(Decoration.line({ class: "cm-target" }).range(line.from));
          if (line.to >= end) break;
          at = line.to + 1;
        }
      }
      marks = Decoration.set(lines);
    }
    return marks;
  },
  provide: (field) => EditorView.decorations.from(field),
});

export class Editor {
  // `on` has the functions changed(bySlider), run(), complete(text, at), hover(text, at).
  constructor(host, text, keywords, on) {
    const root = host.attachShadow({ mode: "open" });
    const parent = element("div");
    root.append(parent);
    const complete = async (context) => {
      const word = context.matchBefore(/[\p{L}\p{N}\p{M}_]+/u);
      const before = context.state.sliceDoc(Math.max(0, context.pos - 1), context.pos);
      if (!context.explicit && !word && !/[\s=(,{]/u.test(before)) return null;
      const found = await on.complete(context.state.doc.toString(), context.pos);
      if (!found || context.aborted || !found.options.length) return null;
      if (!context.explicit && !word && found.options.length > 60) return null;
      return { from: found.from, options: found.options, validFor: /^[\p{L}\p{N}\p{M}_]*$/u };
    };
    const hovered = hoverTooltip(async (view, at) => {
      const found = await on.hover(view.state.doc.toString(), at);
      if (!found || !found.text) return null;
      const create = () => ({ dom: element("div", { class: "cm-hover" }, ...markdown(found.text)) });
      return { pos: found.from ?? at, end: found.to ?? at, create };
    });
    this.view = new EditorView({
      parent,
      root,
      state: EditorState.create({
        doc: text,
        extensions: [
          // The page runs the program; the component would add a line.
          keymap.of([{ key: "Mod-Enter", run: () => { on.run(); return true; } }]),
          lineNumbers(), lintGutter(), history(), drawSelection(), highlightSpecialChars(),
          highlightActiveLine(), bracketMatching(), closeBrackets(), indentUnit.of("  "),
          lace(keywords), syntaxHighlighting(colours), theme, targetMark, hovered,
          autocompletion({ override: [complete], activateOnTyping: true }),
          EditorView.lineWrapping,
          EditorView.contentAttributes.of({ "aria-label": "Program", spellcheck: "false" }),
          keymap.of([
            ...closeBracketsKeymap, ...completionKeymap, ...lintKeymap, ...historyKeymap,
            ...defaultKeymap,
          ]),
          EditorView.updateListener.of((update) => {
            if (!update.docChanged) return;
            const slid = update.transactions.some((each) => each.isUserEvent("input.type.slide"));
            on.changed(slid);
          }),
        ],
      }),
    });
  }

  get text() { return this.view.state.doc.toString(); }

  // Changes of a slider; those in quick succession are undone together.
  change(changes, text) {
    if (this.text !== text || !changes.length) return false;
    this.view.dispatch({ changes, annotations: Transaction.userEvent.of("input.type.slide") });
    return true;
  }

  replace(text) {
    const { doc } = this.view.state;
    if (doc.toString() === text) return;
    this.view.dispatch({ changes: { from: 0, to: doc.length, insert: text }, scrollIntoView: true });
  }

  // Problems as the studio sends them; `apply` makes the changes of a hint.
  show(problems, apply) {
    const length = this.view.state.doc.length;
    const shown = problems.map((each) => ({
      from: Math.min(each.from, length),
      to: Math.min(Math.max(each.to, each.from), length),
      severity: each.severity,
      message: each.hint ? `${each.message}\n${each.hint}` : each.message,
      source: each.code,
      actions: each.fix ? [{ name: each.fix.title, apply: () => apply(each) }] : [],
    }));
    this.view.dispatch(setDiagnostics(this.view.state, shown));
  }

  mark(target) { this.view.dispatch({ effects: setTarget.of(target) }); }

  goTo(from, to) {
    const length = this.view.state.doc.length;
    const selection = { anchor: Math.min(from, length), head: Math.min(to ?? from, length) };
    this.view.dispatch({ selection, scrollIntoView: true });
    this.view.focus();
  }
}
