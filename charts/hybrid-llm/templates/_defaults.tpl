{{/*
Puts into .Values what is missing there: a value that was set to null, which Helm drops, or one that came with
this version, which `helm upgrade --reuse-values` lacks. Each file that reads .Values begins with it; the first that
Helm renders does it for all, who have the same .Values.
*/}}
{{- define "hybrid-llm.defaults" -}}
{{- if not (hasKey .Values "(defaults)") -}}
{{- $_ := set .Values "(defaults)" true -}}
{{- range $path, $default := .Files.Get "files/defaults.yaml" | fromYaml -}}
  {{- $at := $.Values -}}
  {{- $steps := splitList "." $path -}}
  {{- range initial $steps -}}
    {{- if not (kindIs "map" (get $at .)) -}}{{- $_ := set $at . dict -}}{{- end -}}
    {{- $at = get $at . -}}
  {{- end -}}
  {{- if kindIs "invalid" (index $at (last $steps)) -}}{{- $_ := set $at (last $steps) $default -}}{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
