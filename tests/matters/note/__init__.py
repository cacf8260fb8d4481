"""A second, tiny kind of matter, in the tests alone: a note with a limit (限时便笺) that one unit writes and then answers.

It shows what a kind brings: a table, its lifecycle and actions, a registration and a migration; nothing else knows of it.
"""
