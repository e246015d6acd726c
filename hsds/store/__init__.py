"""Object stores behind one contract with compare-and-swap: ``base`` says what a store promises."""
