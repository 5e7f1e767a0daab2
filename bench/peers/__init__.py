"""Two programs of the field that publish chat models, each installed into an environment of its own, for comparison."""
