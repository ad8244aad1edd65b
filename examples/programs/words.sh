#!/bin/sh
# A node in a few lines: the input is a variable, the answer is a line of JSON.
set -eu

if [ -z "$ATOMITON_INPUT_TEXT" ]; then
    echo '{"error": {"code": "INVALID_INPUT", "message": "the text is empty", "retryable": false}}'
    exit
fi
echo '{"log": "counting"}'
printf '%s\n' "$ATOMITON_INPUT_TEXT" | tr -cs '[:alnum:]' '\n' | awk '
    NF { words++; if (++times[$1] > times[most]) most = $1 }
    END { printf "{\"output\": {\"words\": %d, \"most\": \"%s\"}}\n", words, most }
'
