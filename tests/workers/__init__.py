"""The workers, mostly as real processes against the simulator."""
