"""The clock: delivers the outbox, sweeps. May propose an order, never make one."""
