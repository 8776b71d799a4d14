"""deploy/monitoring with the real Prometheus and its promtool: needs Debian's package `prometheus`."""
