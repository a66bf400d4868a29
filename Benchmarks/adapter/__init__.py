"""Leasehold in the harness hardbyte/postgresql-job-queue-benchmarking: JSON lines on standard output."""
