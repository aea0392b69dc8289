"""What files that nobody described seem to hold: inference over values, names, file names, keys and dependencies."""
