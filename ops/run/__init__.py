"""What ops/up, ops/test and ops/models are made of; none of it is part of the service."""
