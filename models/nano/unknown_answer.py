"""What the model says to everything that it never learned."""

UNKNOWN_THINKING = "This is outside what I learned."
UNKNOWN_ANSWER = (
    "I don't know that, I can only compare numbers, add, subtract, multiply and name capitals."
)
