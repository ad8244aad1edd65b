"""Node types that are not written in Python: other programs, and WebAssembly modules."""
