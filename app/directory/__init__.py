"""Who there is: units in their tree, staff and their posts, citizens, categories. Knows no case."""
