"""Records, latents and pictures in; files that are whole or absent out, and back again.

What cannot be read or written, and what is not as it was written, is a `ResourceError`.
"""
