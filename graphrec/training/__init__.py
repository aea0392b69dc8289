"""Training of embedding models: batches, losses, the loop and its checkpoints."""
