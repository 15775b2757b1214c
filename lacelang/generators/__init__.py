"""Weights in; a generator out, which turns latents to styles and styles to pictures.

A generator architecture is a folder here, or an object behind an entry point
`lacelang.generators`; this module imports none of their code.
"""

from lacelang.generators.declaration import Architecture, Layout
from lacelang.registry import Registry

ARCHITECTURES = Registry("lacelang.generators", Architecture, "mobilestylegan")
"""All architectures by name."""

__all__ = ["ARCHITECTURES", "Architecture", "Layout"]
