"""What goes in and out of the operations, one module per subject; the OpenAPI document is made of these."""
