"""Pre-trained generators: their latent spaces, their decoders, and where their weights come from."""
