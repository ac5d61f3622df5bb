"""Code that answers prompts: the protocol, which engines there are, and one package for each."""
