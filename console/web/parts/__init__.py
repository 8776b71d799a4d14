"""What the live parts of pages show: made for a page by its view, and for all its viewers by console.web.live.

A part is made of its topic and of what decides what somebody sees of it (`sight`), of nothing else: no request, no
person, no token. So it can be rendered once for all who have the same sight, and hold nothing that only one of them may
see. `registry` has them by name.
"""
