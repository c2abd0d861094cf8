"""What a telephone hears that presses * during a call. `menu` is the front."""
