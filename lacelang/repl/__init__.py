"""Lines typed at the prompt in; faces, explanations and saved programs out."""
