"""The domain: geometry, labels, edits, history. numpy and scipy only."""
