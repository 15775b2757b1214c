"""The paper's noise schedule (LACE sec. 2.3): beta(t) from 0.1 at t = 0 to 20 at t = 1."""

BETA_MIN = 0.1
BETA_MAX = 20.0
T_END = 1e-3

HORIZON = 0.5 * (BETA_MIN * (1.0 - T_END) + 0.5 * (BETA_MAX - BETA_MIN) * (1.0 - T_END**2))
"""tau at the end of the paper's flow, the integral of beta(t)/2 from 1e-3 to 1: 5.0249."""
