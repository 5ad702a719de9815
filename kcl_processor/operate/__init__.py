"""What operators ask of a running replica: leases, lag, health, permissions, cost."""
