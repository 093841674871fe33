"""Everything that users read, one file a command: edited there as a text, held by tests/test_snapshots.py."""
