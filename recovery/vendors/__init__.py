"""Makers of wearables whose readings a patient lets us ask for: how they are described, and what is said to them."""
