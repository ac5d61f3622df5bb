"""napari and Qt: shows states, turns clicks into commands, decides nothing."""
