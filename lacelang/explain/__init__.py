"""A checked program in; what it means, as text or as data, out."""
