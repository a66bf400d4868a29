"""Leasehold's benchmark: the same work for Leasehold and its peers, interleaved in one run."""
