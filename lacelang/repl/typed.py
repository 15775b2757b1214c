"""What is typed or pasted, shown: a hidden character stands there by its number."""

from __future__ import annotations

from itertools import accumulate

from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.layout.processors import Processor, Transformation, TransformationInput
from prompt_toolkit.layout.utils import explode_text_fragments

from lacelang.text.hidden import escaped, is_hidden

COLON = ":"
"""What a command of the prompt begins with."""


class ShownTyping(Processor):
    """Shows what is hidden in a line, which stays in the buffer as it is; the cursor follows."""

    def apply_transformation(self, transformation_input: TransformationInput) -> Transformation:
        """Show one line, and say which of its columns stands where."""
        fragments = explode_text_fragments(transformation_input.fragments)
        text = "".join(fragment[1] for fragment in fragments)
        shown: StyleAndTextTuples = [
            (style, escaped(character) if is_hidden(text, at) else character)
            for at, (style, character, *_) in enumerate(fragments)
        ]
        ends = [0, *accumulate(len(fragment[1]) for fragment in shown)]

        def to_display(column: int) -> int:
            return ends[min(column, len(ends) - 1)] + max(0, column - len(ends) + 1)

        def to_source(column: int) -> int:
            if column >= ends[-1]:
                return len(ends) - 1 + column - ends[-1]
            return next(at for at, end in enumerate(ends[1:]) if column < end)

        return Transformation(shown, to_display, to_source)
