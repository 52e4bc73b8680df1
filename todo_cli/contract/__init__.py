"""What can be asked and what comes back, a file per noun; `registry` lists it all.

No module here imports `annotations` from `__future__`: types of fields would become texts, and msgspec would have to
evaluate them one by one at each start of a command.
"""
