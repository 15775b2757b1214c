"""Labels of a new attribute in; its classifier, saved beside the model with its card, out."""
