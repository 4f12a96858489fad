"""Compares PrismVid's Qwen3-VL with the reference implementations and writes the goldens of the tests."""
