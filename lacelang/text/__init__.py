"""Characters in; names, numbers and columns as people read them, out."""
