"""Schema inference for undescribed files: column profiles, name semantics, keys and functional dependencies."""
