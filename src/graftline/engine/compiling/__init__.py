"""From equations to machine code: shared expressions, sparse algebra, a Rosenbrock step of several patients."""
