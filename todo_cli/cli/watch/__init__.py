"""`todo watch`: the changes as lines, and the list that follows them."""
