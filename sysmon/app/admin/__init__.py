"""Administration: doctor, init, maintenance, metrics, service, status, verify."""
