// What the studio uses of CodeMirror 6. `npm ci && npm run build` writes it into one file.
export {EditorState, StateEffect, StateField, Transaction} from "@codemirror/state";
export {
  Decoration, EditorView, drawSelection, highlightActiveLine, highlightSpecialChars, hoverTooltip,
  keymap, lineNumbers,
} from "@codemirror/view";
export {defaultKeymap, history, historyKeymap, redo, undo} from "@codemirror/commands";
export {
  HighlightStyle, StreamLanguage, bracketMatching, indentUnit, syntaxHighlighting,
} from "@codemirror/language";
export {autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap, startCompletion}
  from "@codemirror/autocomplete";
export {lintGutter, lintKeymap, nextDiagnostic, setDiagnostics} from "@codemirror/lint";
export {tags} from "@lezer/highlight";
