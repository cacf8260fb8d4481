"""The command and the composition: puts the parts together and starts them. Holds no rules."""
