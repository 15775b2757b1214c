"""Cells of a notebook in; their groups as Python names, pictures and tables out.

`%load_ext lacelang` makes `%%lace` known.
"""
