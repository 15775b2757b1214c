"""MobileStyleGAN: its weights, mapping network, synthesis and decoder."""

from lacelang.generators.declaration import Architecture

DECLARED = (
    Architecture(
        "mobilestylegan",
        "StyleGAN2 distilled to depthwise convolutions and inverse wavelets, 1024 x 1024",
        "lacelang.generators.mobilestylegan.architecture",
    ),
)
