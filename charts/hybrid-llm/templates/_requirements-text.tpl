{{/*
No text that YAML, a terminal or a log reads as something else: control characters, line separators other than a line
feed, and what Unicode has no character for. (dict "plan" "at" "value")
*/}}
{{- define "hybrid-llm.requirements.text" -}}
{{- if kindIs "map" .value -}}
  {{- range $key, $value := .value -}}
    {{- include "hybrid-llm.requirements.text" (dict "plan" $.plan "at" $.at "value" $key) -}}
    {{- $at := printf "%s%s%s" $.at (ternary "." "" (ne $.at "")) (regexReplaceAll "[^ -~]" $key "?" | trunc 60) -}}
    {{- include "hybrid-llm.requirements.text" (dict "plan" $.plan "at" $at "value" $value) -}}
  {{- end -}}
{{- else if kindIs "slice" .value -}}
  {{- range $index, $value := .value -}}
    {{- include "hybrid-llm.requirements.text" (dict "plan" $.plan "at" (printf "%s[%d]" $.at $index) "value" $value) -}}
  {{- end -}}
{{- else if kindIs "string" .value -}}
  {{- if regexMatch "[^\\n\\t\\x20-\\x7e\\x{a0}-\\x{2027}\\x{202a}-\\x{fefe}\\x{ff00}-\\x{fffd}\\x{10000}-\\x{10ffff}]" .value -}}
    {{- include "hybrid-llm.problem" (list .plan (default "a key" .at) (printf "%q" (trunc 60 .value)) "it has a character that nothing shows, or that YAML takes for a new line" "type it anew, without what was pasted along") -}}
  {{- end -}}
{{- end -}}
{{- end -}}
