"""The staff's interface, through HTTP."""
