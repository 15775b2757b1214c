"""An energy and prior draws in; latents, a status for each and what they cost, out.

They know no program and no generator. Sample i of a call depends on its own start and, where
noise is drawn, its own stream; never on its neighbours in the batch. A sampler is a folder here, or
an object behind an entry point `lacelang.samplers`; this module imports no torch.
"""

from lacelang.registry import Registry
from lacelang.samplers.declaration import Option, Sampler

DEFAULT_SAMPLER = "exponential"

SAMPLERS = Registry("lacelang.samplers", Sampler, DEFAULT_SAMPLER)
"""All samplers by name, the default first."""

__all__ = ["DEFAULT_SAMPLER", "SAMPLERS", "Option", "Sampler"]
