"""The Deface tab: the face, the text in the pixels and the header of an open case."""
