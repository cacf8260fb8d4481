"""The pages as people see them: in a real browser, against the real server and database."""
