"""What can be asked and what comes back, a file per noun; `registry` lists it all."""
