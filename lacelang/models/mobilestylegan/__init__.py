"""MobileStyleGAN: StyleGAN2 distilled to depthwise convolutions and inverse wavelets, 1024²."""
