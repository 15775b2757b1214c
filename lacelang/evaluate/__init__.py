"""A program in; tables, figures and sheets of what annotators see in its samples, out."""
