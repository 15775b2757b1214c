"""A browser of the same machine in; pages for it, and what a person does on them, out."""
