"""The paper's protocol of editing: balanced targets within their ranges, a group for each."""

from __future__ import annotations

from experiments.specs.editing import ORDERS, VARIANTS
from experiments.specs.editing_prior import NUMBERS, TARGETS, name_of, program_text, targets
from lacelang import ir
from lacelang.api import compile


def test_targets_are_balanced_and_cover_their_ranges() -> None:
    found = targets()
    assert len(found) == TARGETS
    for k in (0, 1):
        assert sum(wanted.smile == k for wanted in found) == TARGETS // 2
        assert sum(wanted.glasses == k for wanted in found) == TARGETS // 2
    low, high = NUMBERS
    for shares in ([(w.yaw + 45) / 90 for w in found], [w.age / 70 for w in found]):
        assert len(set(shares)) == TARGETS
        assert min(shares) >= low
        assert max(shares) <= high
        assert abs(sum(shares) / TARGETS - (low + high) / 2) < 1e-9
    ranks = [sorted(found, key=key) for key in (lambda w: w.yaw, lambda w: w.age)]
    assert ranks[0] != ranks[1]


def test_every_target_is_edited_by_every_variant_in_both_orders() -> None:
    statements = compile(program_text(2 * TARGETS)).checked.statements
    edits = {s.name: s for s in statements if isinstance(s, ir.EditStatement)}
    assert len(edits) == TARGETS * len(ORDERS) * len(VARIANTS)
    for k, wanted in enumerate(targets()):
        for order, names in ORDERS.items():
            edit = edits[name_of(k, order, "default")]
            lines = [step.predicate.text for step in edit.steps]
            assert lines == [wanted.lines[name] for name in names]
            assert edits[name_of(k, order, "keep identity")].keep == 1.0
