"""The demo's two weeks of history: operations, audit entries and tests of the three demo people, made up before now.

`script.py` says who did what when; `past.py` works out what a service was like then, from what the sandbox has now;
`writing.py` writes it through the same models, audit log and hash chain as everything else. Only a demo console whose
cluster is the seeded sandbox gets it, once, while its log is empty.
"""
