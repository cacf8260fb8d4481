"""The phones' HTTP face, for citizens and staff. Holds no rules: it calls the same use cases as app.api."""
