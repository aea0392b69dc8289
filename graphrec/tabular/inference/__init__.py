"""What files without a description seem to hold: inference over values, names, file names, keys and dependencies."""
