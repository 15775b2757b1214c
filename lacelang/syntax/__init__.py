"""Text in; a syntax tree, or parse errors with hints, out; and the formatter, the other way."""
