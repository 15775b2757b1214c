"""One module per evaluation: its conditions, the methods, and the paper's figures.

Each has a function `study(progress, faces) -> Report`: `progress` shows its progress, and `faces`,
if not None, replaces the spec's own number of faces, for quick figures. It raises a
`ResourceError` if weights are not available. Samples and judgements stay in the cache.
"""
