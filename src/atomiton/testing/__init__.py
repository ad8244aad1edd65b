"""For users: test kits for nodes and blueprints."""
