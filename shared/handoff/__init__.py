"""What lies in Redis for seconds between a request and a worker: pictures, answers, claims, and who is there."""
