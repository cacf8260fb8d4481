"""A grievance from registration to archive. Start at lifecycle.py; actions/ holds one function per action."""
