"""`make faults`: the sweep under whatever can go wrong, with real processes and servers. Not part of `make test`."""
