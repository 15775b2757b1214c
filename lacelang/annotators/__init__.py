"""A picture in; values of attributes out, as image networks or other measurements see them.

They label generated images, to train the latent classifiers, and judge results. An annotator is a
folder here, or an object behind an entry point `lacelang.annotators`; this module imports none of
their code. Age and gender are guesses about a generated picture.
"""

from collections.abc import Container, Set

from lacelang.annotators.declaration import Annotator
from lacelang.errors import UsageError
from lacelang.registry import Registry

ANNOTATORS = Registry("lacelang.annotators", Annotator, "faces")
"""All annotators by name."""


def judging(attributes: Container[str]) -> tuple[Annotator, ...]:
    """Return the annotators of some of these attributes; where two judge one, the first counts."""
    return tuple(a for a in ANNOTATORS.values() if any(name in attributes for name in a.attributes))


def describing(annotators: Container[Annotator]) -> tuple[Annotator, ...]:
    """Return the annotators that describe identity in the pictures that others judge."""
    found = (a for a in ANNOTATORS.values() if a.identity and a.beside in ANNOTATORS)
    return tuple(a for a in found if ANNOTATORS[a.beside] in annotators)


def all_judging(attributes: Set[str]) -> tuple[Annotator, ...]:
    """Return the annotators of these attributes; a UsageError names those that none judges."""
    annotators = judging(attributes)
    unseen = attributes - {name for a in annotators for name in a.attributes}
    if unseen:
        names = ", ".join(f"`{name}`" for name in sorted(unseen))
        seen = ", ".join(seen_attributes())
        raise UsageError(f"no annotator sees {names} in an image; they see: {seen}")
    return annotators


def seen_attributes() -> dict[str, tuple[str, ...]]:
    """Return the classes of every attribute that an annotator judges, () of a number."""
    found: dict[str, tuple[str, ...]] = {}
    for annotator in ANNOTATORS.values():
        for name, classes in annotator.attributes.items():
            found.setdefault(name, classes)
    return found


__all__ = ["ANNOTATORS", "Annotator", "all_judging", "describing", "judging", "seen_attributes"]
