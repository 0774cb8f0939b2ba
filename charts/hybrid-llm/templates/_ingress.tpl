{{/* The certificates of the Ingress, as JSON: `extraTls`, and `tlsSecret` for the names that those lack. */}}
{{- define "hybrid-llm.ingressTls" -}}
{{- $ingress := .Values.ingress -}}
{{- $named := list -}}
{{- range $ingress.extraTls -}}{{- $named = concat $named (default list .hosts) -}}{{- end -}}
{{- $others := list -}}
{{- range prepend $ingress.extraHosts $ingress.host -}}
  {{- if not (has . $named) -}}{{- $others = append $others . -}}{{- end -}}
{{- end -}}
{{- $tls := $ingress.extraTls -}}
{{- if and $ingress.tlsSecret $others -}}
  {{- $tls = prepend $tls (dict "hosts" $others "secretName" $ingress.tlsSecret) -}}
{{- end -}}
{{- toJson $tls -}}
{{- end -}}
