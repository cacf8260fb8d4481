"""Load and speed: speaks HTTP only, to servers on this machine. `make bench` compares with pgbench doing the same SQL."""
