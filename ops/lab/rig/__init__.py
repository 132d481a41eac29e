"""What the laboratory and the tests start services with: processes, servers, a whole stack, and a load before it."""
