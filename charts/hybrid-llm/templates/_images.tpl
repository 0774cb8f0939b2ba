{{/* Which images pods have, and by what they may pull them. */}}

{{/* What all images come from. `global.imageRegistry` of a parent chart wins, as users of Bitnami's charts know it. */}}
{{- define "hybrid-llm.registry" -}}
{{- (default dict .Values.global).imageRegistry | default .Values.image.registry -}}
{{- end -}}

{{- define "hybrid-llm.image" -}}
{{- $image := .Values.image -}}
{{- with include "hybrid-llm.registry" . }}{{ . }}/{{ end }}{{ $image.repository }}{{ if $image.digest }}@{{ $image.digest }}{{ else }}:{{ $image.tag }}{{ end -}}
{{- end -}}

{{/*
An image beside Ray's, by the value that names it: (list $ "test.image"). The chart's default, and one that names no
registry, come from where Ray's comes from; one of the user's that names its registry is taken as it is. Without a
registry, or with the default, each comes from where it is published.
*/}}
{{- define "hybrid-llm.imageOf" -}}
{{- $root := index . 0 -}}
{{- $key := index . 1 -}}
{{- $image := $root.Values -}}
{{- range splitList "." $key -}}{{- $image = index $image . -}}{{- end -}}
{{- $registry := include "hybrid-llm.registry" $root -}}
{{- $host := regexFind "^([^/]*[.:][^/]*|localhost)/" $image -}}
{{- $ours := eq $image (index ($root.Files.Get "files/defaults.yaml" | fromYaml) $key) -}}
{{- if and $registry (ne $registry "docker.io") (or $ours (not $host)) -}}
{{- printf "%s/%s" $registry (trimPrefix $host $image) -}}
{{- else -}}
{{- $image -}}
{{- end -}}
{{- end -}}

{{/* `global.imagePullSecrets` are names or maps. */}}
{{- define "hybrid-llm.pullSecrets" -}}
{{- $secrets := list -}}
{{- range concat (default list (default dict .Values.global).imagePullSecrets) .Values.image.pullSecrets -}}
  {{- $secrets = append $secrets (ternary . (dict "name" .) (kindIs "map" .)) -}}
{{- end -}}
{{- with uniq $secrets -}}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end -}}
{{- end -}}
