{{/*
The names that a wrong one may have meant, for a message: those that contain it or that it contains, else those that
begin with the same letters; few names are all of them. (dict "word" "names" "all" where all of them are)
*/}}
{{- define "hybrid-llm.nearest" -}}
{{- $most := 6 -}}
{{- $names := sortAlpha .names -}}
{{- $word := .word | toString | lower | replace "_" "-" -}}
{{- if le (len $names) (add $most 2 | int) -}}
{{- join ", " $names -}}
{{- else -}}
  {{- $near := list -}}
  {{- range $letters := list 0 12 10 9 8 7 6 5 4 3 2 1 -}}
    {{- range $names -}}
      {{- $name := . | lower | replace "_" "-" -}}
      {{- $alike := and $word (hasPrefix (trunc $letters $word) $name) -}}
      {{- if eq $letters 0 -}}{{- $alike = and $word (or (contains $word $name) (contains $name $word)) -}}{{- end -}}
      {{- if and $alike (lt (len $near) $most) -}}{{- $near = append $near . | uniq -}}{{- end -}}
    {{- end -}}
  {{- end -}}
  {{- if not $near -}}{{- $near = slice $names 0 $most -}}{{- end -}}
{{- join ", " $near }} (all {{ len $names }} of them: {{ .all }})
{{- end -}}
{{- end -}}
