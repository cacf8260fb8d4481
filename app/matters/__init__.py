"""Data and rules that all kinds of work share: reference, record, limits, parts, papers, photos, visibility.

A kind of work (app/matters/kinds.py) adds a table of its own with the same ids, its lifecycle and its actions.
"""
