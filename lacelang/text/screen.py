"""A rich console that shows what is hidden in texts, and writes styles and pictures as they are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from lacelang.text.hidden import displayed


class Screen(Console):
    """Displays strings before their width is measured, and whatever else rich makes of them."""

    def render_str(self, text: str, **how: Any) -> Text:
        """Make a text of a string."""
        return super().render_str(displayed(text), **how)

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Make segments of anything; those with controls, such as pictures, are the program's."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=displayed(segment.text))
