"""Pre-trained generators: latent spaces, decoders, and where the weights come from."""
