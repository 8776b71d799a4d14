"""Charts as SVG that the server draws: geometry here, markup in templates/charts (docs/decisions/0025-charts.md).

Pure: a chart is made of facts that a view has read, and holds strings that a template writes into attributes. Places
along the time are percentages of the width, places along the values are pixels, so that a chart is as wide as the page
and its words keep their size. Each chart has a table of the same facts beside it.
"""
