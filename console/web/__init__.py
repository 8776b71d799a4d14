"""Pages, forms and the event stream. No cluster call and no business rule lives here.

A view checks its permission (a decorator that tests enumerate), reads the mirror or a form, calls one function of
operations, access or audit, and renders. Words for people are made here, in their language.
"""
