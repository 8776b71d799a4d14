"""Pages, forms and the event stream. No cluster call and no business rule lives here."""
