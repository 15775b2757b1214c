"""Records, latents and pictures in; files that are whole or absent out, and back again."""
