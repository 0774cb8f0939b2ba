"""Who may come in, with what, and what a refusal or a failure looks like."""
