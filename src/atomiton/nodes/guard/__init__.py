"""The real capabilities: the only doors from a node to the world."""
