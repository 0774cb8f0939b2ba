#!/bin/sh
# Asks with /no_think in the prompt: reasoning_content is null in the answer's message.
# The key goes in by standard input (-H @-): a command's arguments can be read by every user of
# the machine, in `ps`. Needs curl 7.76 or later; exits non-zero on an HTTP error.
BASE_URL=${BASE_URL:-http://localhost:8000}
API_KEY=${API_KEY:-FAKE_KEY}
MODEL=${MODEL:-my-qwen-3-32b}

curl -sS --fail-with-body -X POST "${BASE_URL%/}/v1/chat/completions" \
  -H "Content-Type: application/json" \
  -H @- \
  -d '{ "model": "'"$MODEL"'", "messages": [{"role": "user", "content": "What is greater between 7.8 and 7.11 ? /no_think"}] }' <<END
Authorization: Bearer $API_KEY
END
