"""A network that was trained on generated images: any object, by prompts."""
