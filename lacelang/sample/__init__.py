"""Samplers: plain functions of an energy, each reading like the algorithm it is.

They know no program and no generator. Sample i of a call depends on its own start and, where
noise is drawn, its own stream; never on its neighbours in the batch.
"""

from lacelang.sample.dopri5 import ADAPTIVE, FIXED, dopri5, euler, paper, torchdiffeq_flow
from lacelang.sample.exponential import exponential
from lacelang.sample.flow import HORIZON
from lacelang.sample.heun import heun
from lacelang.sample.hmc import hmc
from lacelang.sample.hybrid import hybrid
from lacelang.sample.langevin import langevin
from lacelang.sample.mala import mala
from lacelang.sample.pc import pc
from lacelang.sample.problem import Energy, OnStep, Sampler
from lacelang.sample.rejection import rejection
from lacelang.sample.smc import smc
from lacelang.sample.solution import Solution, Stats, Status, unmoved
from lacelang.sample.streams import Streams, prior

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
