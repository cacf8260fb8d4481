"""The phones' face, through HTTP."""
