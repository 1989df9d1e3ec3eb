"""Second opinions: small, slow, exact models that import nothing of the package under test."""
