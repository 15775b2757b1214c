"""lacelang: say what a generator's samples must be like, and sample them."""
