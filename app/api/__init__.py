"""The staff's HTTP face: one file per feature, each with its schemas. Holds no rules."""
