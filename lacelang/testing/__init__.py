"""A sampler, generator, annotator or operator of one's own in; what all are held to, out.

docs/testing.md shows it: hypothesis strategies, laws of the operators, contracts of the parts.
"""

try:
    import hypothesis  # noqa: F401
except ImportError as error:
    raise ImportError(
        "lacelang.testing needs hypothesis, which is not installed: pip install 'lacelang[testing]'"
    ) from error
