"""A run folder in; one page of HTML about it, which needs nothing else, out."""
