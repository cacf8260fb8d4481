"""The county's directory: the tree of units, staff and their posts, citizens, categories. Knows no case."""
