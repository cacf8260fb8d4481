"""One module per provider of text messages, each a Gateway."""
