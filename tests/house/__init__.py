"""The house keeps its own rules: shape, direction of imports, packaging, set-up, documents."""
