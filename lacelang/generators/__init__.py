"""Weights in; a generator out, which turns latents to styles and styles to pictures."""
