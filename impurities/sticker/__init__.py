"""Stickers: labels with digits on them, and how they are drawn."""
