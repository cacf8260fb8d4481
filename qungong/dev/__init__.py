"""A working copy on one machine: embedded services, supervisor, sample county, demonstration, simulated year."""
