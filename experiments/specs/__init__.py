"""One module an evaluation: what is asked, of which methods, and what the paper has for it.

Each has a function `study(progress, faces) -> Report`: `progress` shows how far it is, and `faces`,
if it is not None, stands in place of the spec's own number of faces, for a quick look. It raises a
`ResourceError` where weights cannot be had. What is sampled and judged stays in the cache.
"""
