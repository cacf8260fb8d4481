"""How long each stage may take: the defaults, and what a county sets instead of them."""
