"""Compressed frames to stored values, each in a process that may crash: see `pool` and `worker`.

Decoders are large libraries written in C that are fed with bytes from outside. They run in worker
processes under limits of time and memory, so that a damaged or hostile frame costs that frame.
This file stays empty of imports: every worker passes here when it starts.
"""
