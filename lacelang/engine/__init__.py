"""A checked program in; its groups of latents, pictures and records, and its verdicts, out."""
