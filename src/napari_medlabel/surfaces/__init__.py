"""Surfaces of masks, built in a process of their own: see `builder` and `worker`.

Building one takes the interpreter for tenths of a second, and a hand that draws would feel that.
This file stays empty of imports: every worker passes here when it starts.
"""
