"""An outline with the figures that only a loaded model can tell."""

from __future__ import annotations

from lacelang.explain.shape import Outline


def with_figures(outline: Outline) -> Outline:
    """Return the outline with figures, its model's weights loaded.

    Raises:
        ResourceError: weights cannot be had.
    """
    from lacelang.engine.loading import load
    from lacelang.explain.measured import measured
    from lacelang.progress import shown

    if not outline.trees:
        return outline
    with shown() as progress:
        model = load(outline.trees[0].model, "auto", progress)
        return measured(outline, model)
