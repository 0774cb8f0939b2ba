{{/*
Accelerators by dynamic resource allocation: a ResourceClaimTemplate's spec, as JSON; null where a device plugin counts
them. (dict "model" "dra" values)
*/}}
{{- define "hybrid-llm.claim" -}}
{{- if and .dra.enabled .model.accelerators -}}
  {{- $exactly := dict "deviceClassName" .dra.deviceClass "allocationMode" "ExactCount" "count" .model.perHost -}}
  {{- $selectors := list -}}
  {{- range .dra.selectors -}}{{- $selectors = append $selectors (dict "cel" (dict "expression" .)) -}}{{- end -}}
  {{- with $selectors -}}{{- $_ := set $exactly "selectors" . -}}{{- end -}}
  {{- $requests := list (dict "name" "accelerators" "exactly" $exactly) -}}
  {{- dict "spec" (dict "devices" (dict "requests" $requests)) | toJson -}}
{{- else -}}
null
{{- end -}}
{{- end -}}

{{/* What follows the release's name in that of a model's template. */}}
{{- define "hybrid-llm.claimName" -}}
{{- printf "-%s-%s" .name (toJson .claim | sha256sum | trunc 6) -}}
{{- end -}}
