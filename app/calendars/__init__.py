"""Working days and office hours of a county, and what follows from them for time limits."""
