"""Notations of other tools: how they are recognised, and what lacelang writes for them.

A notation is a row of `notations.toml`: its shape, what is said of it, and what to write instead.
The parser then reads the corrected text, so that one notation is one diagnostic.
"""
