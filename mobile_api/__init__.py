"""The phones' HTTP face, for citizens and village cadres. Holds no rules: it calls the same use cases as app.api."""
