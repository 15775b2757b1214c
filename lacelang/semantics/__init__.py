"""Names, kinds and units: from a syntax tree to a checked program."""
