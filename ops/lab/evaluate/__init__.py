"""`ops/evaluate`: plays recordings of people, and attacks made from them, through the service's own vision and judges."""
