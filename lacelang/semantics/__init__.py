"""A syntax tree in; the checked program (`ir`), or every error of the program, out."""
