"""What pages ask a cluster for at the moment: choices for forms, logs, values, and what the cluster would allow."""
