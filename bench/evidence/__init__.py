"""The product on real data: `make evidence` measures it and writes docs/evidence. Data stay where they are."""
