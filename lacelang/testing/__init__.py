"""A sampler of one's own in; the properties that lacelang's own are held to, out.

docs/extending.md shows how it is used.
"""
