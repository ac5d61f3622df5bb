"""Every real image at hand, opened and held against its reference: the table of docs/formats.md."""
