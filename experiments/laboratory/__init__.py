"""The laboratory: other systems of conditional generation, on real data, side by side.

Each system is one module that reads like its paper, trained here from its published objective, and
judged by networks that were trained on real images only (`judges`).
"""
