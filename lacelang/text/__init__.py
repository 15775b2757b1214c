"""Characters in; names, numbers, columns and texts as people read them, out."""
