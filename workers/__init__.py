"""What happens by itself: texts delivered, surveys asked, cases archived. PostgreSQL is the work list, arq only a bell.

`python -m workers outbox` and `python -m workers deadlines` each run one worker; any number of each may run.
"""
