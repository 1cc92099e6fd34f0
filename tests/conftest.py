"""What holds for all tests."""

import os

from hypothesis import settings

# Machines that build are slow now and then: how long one example takes says nothing about the code.
settings.register_profile("sysmon", deadline=None, max_examples=60)
# A change is judged by the same examples each time; new ones are looked for where somebody can look into them.
settings.register_profile("ci", settings.get_profile("sysmon"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "sysmon")
