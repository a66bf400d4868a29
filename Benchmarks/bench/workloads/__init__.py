"""What is measured, one workload a module."""
