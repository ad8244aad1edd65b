"""Tests written as data, beside a blueprint: reading, running, and making them of recorded runs."""
