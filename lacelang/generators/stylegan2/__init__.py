"""StyleGAN2 and StyleGAN2-ADA (Karras et al. 2020): generators imported from published files."""

from lacelang.generators.declaration import Architecture

STYLEGAN2 = Architecture(
    "stylegan2",
    "StyleGAN2 or StyleGAN2-ADA, 4 x 4 to 1024 x 1024, imported from a file of its releases",
    "lacelang.generators.stylegan2.generator:StyleGAN2",
    None,
    weights="file",
    ready="lacelang.generators.imported_weights:is_there",
    layout_of="lacelang.generators.stylegan2.store:layout_of",
    published="lacelang.generators.stylegan2.published:find",
)
DECLARED = (STYLEGAN2,)
