"""What every kind of work shares: a reference, a record, limits, parts, papers, photos, and who may see it.

A kind of work (app/matters/kinds.py) adds a table of its own with the same ids, its lifecycle and its actions.
"""
