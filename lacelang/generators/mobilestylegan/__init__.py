"""MobileStyleGAN (Belousov 2021): its weights, mapping network, synthesis and decoder."""

from lacelang.generators.declaration import Architecture, Layout

DIM = 512
# Blocks of the synthesis network, 8² to 512².
BLOCKS = 7


def _style_layers() -> tuple[tuple[int, ...], ...]:
    """For each of the 23 modulations, the style layers of the 18-layer StyleGAN2 it stands for.

    Matched by resolution: an 18-layer generator has layer 0 at 4², 2k−1 and 2k at 2^(k+2), the
    last three at 1024². Subset selection (LACE, A.3) is stated in those layers.
    """
    layers: list[tuple[int, ...]] = [(0,)]
    for k in range(1, BLOCKS + 1):
        layers += [(2 * k - 1,), (2 * k - 1,), (2 * k,)]
    return (*layers, (15, 16, 17))


LAYOUT = Layout(DIM, DIM, _style_layers())
MOBILESTYLEGAN = Architecture(
    "mobilestylegan",
    "StyleGAN2 distilled to depthwise convolutions and inverse wavelets, 1024 x 1024",
    "lacelang.generators.mobilestylegan.generator:MobileStyleGAN",
    LAYOUT,
    ready="lacelang.generators.mobilestylegan.store:is_converted",
    inverts="lacelang.inversion.inverter:load",
)
DECLARED = (MOBILESTYLEGAN,)
