"""A sampler or an operator of one's own in; the properties that lacelang's own are held to, out.

It comes with the extra `testing`; docs/extending.md shows how it is used.
"""
