"""A text, a place in it and its file in; diagnostics, completions, descriptions, places, out."""
