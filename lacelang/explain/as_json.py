"""Outlines as plain values, for programs to read."""

from __future__ import annotations

import math
from typing import Any

from attrs import asdict

from lacelang.explain.shape import Outline, Term, Tree


def outline_json(outline: Outline) -> dict[str, Any]:
    """Return a statement: its kind, name and facts side by side, and its conditions by role.

    Numbers that are not finite are null.
    """
    facts = {fact.label: fact.value for fact in outline.facts}
    trees = {tree.role: _tree(tree) for tree in outline.trees}
    return {"kind": outline.kind, "name": outline.name, **facts, "conditions": trees}


def _tree(tree: Tree) -> dict[str, Any] | None:
    if tree.root is None:
        return None
    known: dict[str, Any] = {"term": _term(tree.root)}
    if tree.totals is not None:
        known["totals"] = _finite(asdict(tree.totals))
    return known


def _term(term: Term) -> dict[str, Any]:
    plain = asdict(term, recurse=False)
    figures = plain.pop("figures")
    del plain["rewritten"]
    plain |= {"via": list(term.via), "terms": [_term(below) for below in term.terms]}
    if figures is not None:
        plain["figures"] = _finite(asdict(figures))
    return plain


def _finite(values: dict[str, Any]) -> dict[str, Any]:
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in values.items()
    }
