"""The folder that holds cases: catalogue, versions, who holds what."""
