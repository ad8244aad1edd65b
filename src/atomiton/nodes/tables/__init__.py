"""Tables in files: reading, writing, and the shape of rows and columns."""
