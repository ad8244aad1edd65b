"""What a workflow is: the model, its YAML, its expressions, and its plan."""
