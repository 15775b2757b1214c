"""One module an evaluation: what is asked, of which methods, and what the paper has for it."""
