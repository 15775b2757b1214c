"""StyleGAN3 (Karras et al. 2021, alias-free): generators imported from published files."""

from lacelang.generators.declaration import Architecture

STYLEGAN3 = Architecture(
    "stylegan3",
    "StyleGAN3, configurations T and R, imported from a file of its releases",
    "lacelang.generators.stylegan3.generator:StyleGAN3",
    None,
    weights="file",
    ready="lacelang.generators.imported_weights:is_there",
    layout_of="lacelang.generators.stylegan3.store:layout_of",
    published="lacelang.generators.stylegan3.published:find",
)
DECLARED = (STYLEGAN3,)
