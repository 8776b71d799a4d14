"""`manage.py doctor`: is this installation sound? Asks everything that the console depends on, and changes nothing.

At the top of the layers: it may ask every part, and nothing asks it.
"""
