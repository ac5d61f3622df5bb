"""Segmenting by prompts in the window: what is asked, how it is shown, the section for it."""
