"""What an operator has fixed, what a request says, and the one decision out of both."""
