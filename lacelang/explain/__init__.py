"""What a program means, to look at: energies, heads, samplers and the plan, without running it."""
