"""What names mean at a place: in a file, or in what has been typed at the prompt so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from attrs import frozen
from lark import Token

from lacelang import ir
from lacelang.semantics.context import Definition
from lacelang.syntax.grammar import STATEMENTS
from lacelang.text.names import nfc

FIRST = "ffhq"
"""The model of conditions that come before any other is named."""


@frozen(eq=False)
class Scope:
    """What names mean at a place.

    Attributes:
        models: every model that `from` can name.
        definitions: every `let` and `def` in scope.
        groups: those that were made, and their models; None for a wrong statement's.
        model: the one in use, where a statement names none.
    """

    models: Mapping[str, ir.ModelSpec]
    definitions: Mapping[str, Definition]
    groups: Mapping[str, ir.ModelSpec | None]
    model: ir.ModelSpec | None

    @property
    def attributes(self) -> frozenset[str]:
        """The names of what the model in use can be asked."""
        return frozenset(a.name for a in self.model.attributes) if self.model else frozenset()


def model_around(
    scope: Scope, before: Sequence[Token], following: Sequence[Token] = ()
) -> ir.ModelSpec | None:
    """Return the model of the statement that stands around a place, by the tokens there."""
    for i in range(len(before) - 1, 0, -1):
        if before[i - 1].type == "EDIT":
            model = scope.groups.get(nfc(str(before[i]).strip('"')))
            if model is not None:
                return model
            break  # of what is on disk, `from` behind it may say so
        if before[i - 1].type == "FROM":
            return scope.models.get(str(before[i]), scope.model)
        if before[i].type in STATEMENTS:
            break
    for token, after in pairwise(following):
        if token.type in STATEMENTS:
            break
        if token.type == "FROM":
            return scope.models.get(str(after), scope.model)
        if token.type == "OF":
            return scope.groups.get(nfc(str(after).strip('"'))) or scope.model
    return scope.model
