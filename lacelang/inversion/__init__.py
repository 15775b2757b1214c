"""A photograph in; styles w+ of which a generator makes the same face, and their figures, out."""
