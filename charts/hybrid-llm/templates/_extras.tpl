{{/* What users add to head and workers, as they write it: `head.*`, `worker.*` and what both have. */}}

{{/* Of a pod. (dict "root" $ "of" values of the head or the workers) */}}
{{- define "hybrid-llm.podOptions" -}}
{{- range $field := list "hostAliases" "dnsPolicy" "dnsConfig" "schedulerName" }}
{{- with get $.root.Values $field }}
{{ toYaml (dict $field .) }}
{{- end }}
{{- end }}
{{- with .of.initContainers }}
initContainers:
  {{- include "hybrid-llm.ownContainers" (dict "root" $.root "containers" .) | nindent 2 }}
{{- end }}
{{- end -}}

{{/*
Containers of the user's, as restricted as the chart's where they don't say how far; they get none of its variables,
tokens and keys. (dict "root" $ "containers" list)
*/}}
{{- define "hybrid-llm.ownContainers" -}}
{{- $containers := list -}}
{{- range .containers -}}
  {{- $one := deepCopy . -}}
  {{- if not .securityContext -}}{{- $_ := set $one "securityContext" $.root.Values.containerSecurityContext -}}{{- end -}}
  {{- $containers = append $containers $one -}}
{{- end -}}
{{- toYaml $containers -}}
{{- end -}}

{{/* Of the Ray container. KubeRay has probes of its own where there are none here. (dict "root" $ "of" values) */}}
{{- define "hybrid-llm.containerOptions" -}}
{{- with .root.Values.envFrom }}
{{ toYaml (dict "envFrom" .) }}
{{- end }}
{{- range $field := list "startupProbe" "livenessProbe" "readinessProbe" "lifecycle" }}
{{- with get $.of $field }}
{{ toYaml (dict $field .) }}
{{- end }}
{{- end }}
{{- end -}}

{{/* Labels of which the later win. (list {labels} {labels}) */}}
{{- define "hybrid-llm.joined" -}}
{{- $all := dict -}}
{{- range . -}}{{- range $key, $value := . -}}{{- $_ := set $all $key $value -}}{{- end -}}{{- end -}}
{{- with $all -}}{{- toYaml . -}}{{- end -}}
{{- end -}}
