"""Tools that work with the pointer on the views."""
