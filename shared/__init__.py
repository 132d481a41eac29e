"""What the web and the workers agree on."""
