"""What open pages are told: of changes, and the rows of the services list that changed.

`hub` runs once in a process while anybody listens; everything else here is what it works with. console.web.stream is
the address that browsers ask; pages name what they are about by console.web.topics.
"""
