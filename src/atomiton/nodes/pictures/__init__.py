"""Pictures in memory, by Pillow: opened and written within bounds, and changed."""
