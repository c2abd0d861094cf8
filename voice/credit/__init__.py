"""How far a payer's money carries calls, and what calls cost. `call_credit`, `cut_off`, `prices` and `audit` are the
front.
"""
