"""How far a payer's money carries calls, and what calls cost: `call_credit`, `cut_off` and `prices` are the front."""
