"""What several suites share: makers of small data, and the conformance suites."""
