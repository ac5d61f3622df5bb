"""What may tell who a patient is, and how it is taken out: headers, pixels, faces."""
