"""An energy and prior draws in; latents, a status for each and what they cost, out.

They know no program and no generator. Sample i of a call depends on its own start and, where
noise is drawn, its own stream; never on its neighbours in the batch.
"""

from lacelang.samplers.dopri5 import ADAPTIVE, FIXED, dopri5, euler, paper, torchdiffeq_flow
from lacelang.samplers.exponential import exponential
from lacelang.samplers.flow import HORIZON
from lacelang.samplers.heun import heun
from lacelang.samplers.hmc import hmc
from lacelang.samplers.hybrid import hybrid
from lacelang.samplers.langevin import langevin
from lacelang.samplers.mala import mala
from lacelang.samplers.pc import pc
from lacelang.samplers.problem import Energy, OnStep, Sampler
from lacelang.samplers.rejection import rejection
from lacelang.samplers.smc import smc
from lacelang.samplers.solution import Solution, Stats, Status, unmoved
from lacelang.samplers.streams import Streams, prior

__all__ = [
    "ADAPTIVE",
    "FIXED",
    "HORIZON",
    "Energy",
    "OnStep",
    "Sampler",
    "Solution",
    "Stats",
    "Status",
    "Streams",
    "dopri5",
    "euler",
    "exponential",
    "heun",
    "hmc",
    "hybrid",
    "langevin",
    "mala",
    "paper",
    "pc",
    "prior",
    "rejection",
    "smc",
    "torchdiffeq_flow",
    "unmoved",
]
