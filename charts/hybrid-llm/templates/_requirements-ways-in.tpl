{{/* How clients come in: Service, Ingress. (dict "root" $ "plan" plan) */}}
{{- define "hybrid-llm.requirements.waysIn" -}}
{{- $plan := .plan -}}
{{- $values := .root.Values -}}
{{- $ingress := $values.ingress -}}
{{- if and (not $ingress.enabled) (or $ingress.extraHosts $ingress.extraTls) -}}
  {{- include "hybrid-llm.problem" (list $plan "ingress.enabled" false "ingress.extraHosts or ingress.extraTls is set, and would not be used" "set ingress.enabled=true") -}}
{{- end -}}
{{- $hosts := append $ingress.extraHosts $ingress.host -}}
{{- if ne (len (uniq $hosts)) (len $hosts) -}}
  {{- include "hybrid-llm.problem" (list $plan "ingress.extraHosts" (join ", " $ingress.extraHosts) "a name is there twice, or is ingress.host" "leave one out") -}}
{{- end -}}
{{- range $ingress.extraTls -}}
  {{- range .hosts -}}
    {{- if not (has . $hosts) -}}
      {{- include "hybrid-llm.problem" (list $plan "ingress.extraTls" . "the Ingress has no such name" "add it to ingress.extraHosts, or leave it out") -}}
    {{- end -}}
  {{- end -}}
{{- end -}}

{{- $service := $values.service -}}
{{- $outside := ne $service.type "ClusterIP" -}}
{{- if and $plan.gradual (or $outside $service.annotations) -}}
  {{- include "hybrid-llm.problem" (list $plan "service" $service.type "step by step each cluster has a Service of its own, and KubeRay leaves these values out" "leave them at their defaults; clients ask KubeRay's Gateway") -}}
{{- end -}}
{{- if and $outside (not $values.auth.enabled) -}}
  {{- include "hybrid-llm.problem" (list $plan "auth.enabled" false (printf "the model would be open to everybody whom the %s reaches" $service.type) "leave it true") -}}
{{- end -}}
{{- if and $outside $values.networkPolicy.enabled (not $service.loadBalancerSourceRanges) -}}
  {{- include "hybrid-llm.problem" (list $plan "service.loadBalancerSourceRanges" "[]" (printf "the network policy would keep out all that comes by the %s" $service.type) "name the addresses of clients, or of what stands between, for instance [10.0.0.0/8]") -}}
{{- else if and $service.loadBalancerSourceRanges (not $outside) -}}
  {{- include "hybrid-llm.problem" (list $plan "service.loadBalancerSourceRanges" (join ", " $service.loadBalancerSourceRanges) "it would not be used: service.type is ClusterIP" "set service.type, or leave it empty; networkPolicy.clientNamespaces lets pods in") -}}
{{- end -}}
{{- end -}}
