"""Month ends: what is counted of units and people, locked month by month, and what handling units learn of their evaluations."""
