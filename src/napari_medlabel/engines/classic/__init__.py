"""No network: fronts from the prompts compete; edges and tissue unlike the prompts' slow them."""
