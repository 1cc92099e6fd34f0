"""What holds for all tests."""

from hypothesis import settings

# Machines that build are slow now and then: how long one example takes says nothing about the code.
settings.register_profile("sysmon", deadline=None, max_examples=60)
settings.load_profile("sysmon")
