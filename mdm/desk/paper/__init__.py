"""Receipts, labels and lists as PDF; pure."""
