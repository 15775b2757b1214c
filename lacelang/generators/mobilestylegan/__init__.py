"""MobileStyleGAN: its weights, mapping network, synthesis and decoder."""
