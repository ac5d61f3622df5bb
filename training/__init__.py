"""How the shipped network was made: generated images, and the training on them."""
