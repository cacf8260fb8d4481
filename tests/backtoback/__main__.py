"""`python -m tests.backtoback`. All of it stands in running.py, which its processes import too."""

from tests.backtoback.running import main

main()
