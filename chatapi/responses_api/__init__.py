"""`/v1/responses`: OpenAI's younger API over the chat's own function. Its requests become chat requests, its runs are
the chat's, and what it stores is the caller's own."""
