"""The linked views of an open case, painted by Qt: no graphics card is needed to be quick."""
