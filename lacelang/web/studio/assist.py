"""What the editor shows beside the text: what is wrong, what may follow, what a word means."""

from __future__ import annotations

from typing import Any

from lacelang.errors import Diagnostic
from lacelang.language.completion import completions as find_completions
from lacelang.language.document import Document, diagnostics
from lacelang.language.hover import hover as find_hover
from lacelang.language.positions import Text
from lacelang.semantics.context import is_pedantic
from lacelang.web.studio.positions import Positions


def problems(document: Document) -> list[dict[str, Any]]:
    """Return all that is wrong and odd with a program, places in UTF-16 units.

    A hint that a machine can follow comes with the changes that do what it says.
    """
    return [problem(found, document.text) for found in diagnostics(document)]


def problem(found: Diagnostic, text: str) -> dict[str, Any]:
    """Return a diagnostic of a text as the page has it."""
    places, lines = Positions(text), Text(text)
    begin, end = lines.offsets(found.span)
    said: dict[str, Any] = {
        "from": places.units(begin),
        "to": places.units(max(begin, end)),
        "severity": "info" if is_pedantic(found.code) else found.severity,
        "code": found.code,
        "message": found.message,
        "hint": found.hint,
    }
    changes = []
    for change in found.fix:
        start, stop = map(places.units, lines.offsets(change.span))
        changes.append({"from": start, "to": stop, "insert": change.text})
    if changes:
        said["fix"] = {"title": "Apply the hint", "changes": changes}
    return said


def completions(document: Document, at: int) -> dict[str, Any]:
    """Return what may stand at a place, in place of the word before it."""
    places = Positions(document.text)
    position = document.places.position(places.offset(at))
    found = find_completions(document, position)
    begin, _ = document.places.offsets(found.span)
    options = [{"label": o.word, "detail": o.about, "type": o.kind} for o in found.offers]
    return {"from": places.units(begin), "options": options}


def hover(document: Document, at: int) -> dict[str, Any]:
    """Return what the word at a place means, in Markdown; None where there is nothing to say."""
    places = Positions(document.text)
    found = find_hover(document, document.places.position(places.offset(at)))
    if found is None:
        return {"text": None}
    begin, end = document.places.offsets(found.span)
    return {"text": found.markdown, "from": places.units(begin), "to": places.units(end)}
