{{/* What the files of alerts/ are made into, and what their expressions may name (alerts/README.md). */}}

{{/* (dict "root" "plan" "out" the dict to fill) */}}
{{- define "hybrid-llm.alertContext" -}}
{{- $root := .root -}}
{{- $plan := .plan -}}
{{- $out := .out -}}
{{- $fullname := include "hybrid-llm.fullname" $root -}}
{{- $namespace := $root.Release.Namespace -}}
{{- $_ := set $out "Template" $root.Template -}}{{- /* without it there is no tpl */ -}}
{{- $_ := set $out "rule" $root.Values.prometheusRule -}}
{{- $_ := set $out "direct" $plan.direct -}}
{{- $_ := set $out "models" $plan.models -}}
{{- $_ := set $out "fullname" $fullname -}}
{{- $_ := set $out "namespace" $namespace -}}
{{- $_ := set $out "allowance" (subf 1 $root.Values.prometheusRule.objectives.share) -}}
{{- /* The operator's name for the job of a PodMonitor. */ -}}
{{- $_ := set $out "ours" (include "hybrid-llm.job" $root | quote | printf "job=%s") -}}
{{- if $plan.direct -}}
  {{- /* Of what HAProxy sent on: its health checks it answers itself. */ -}}
  {{- $_ := set $out "responses" (printf "haproxy_backend_http_responses_total{%s, proxy=~\"http-.+\"" $out.ours) -}}
  {{- $_ := set $out "failed" "code=\"5xx\"" -}}
{{- else -}}
  {{- $_ := set $out "responses" (printf "ray_serve_num_http_requests_total{%s, application!=\"\"" $out.ours) -}}
  {{- $_ := set $out "failed" "status_code=~\"5..\"" -}}
{{- end -}}
{{- $_ := set $out "tlsSecret" (ternary $root.Values.ingress.tlsSecret "" $root.Values.ingress.enabled) -}}
{{- $_ := set $out "keysSecret" (ternary (include "hybrid-llm.keysSecret" $root) "" $root.Values.auth.enabled) -}}
{{- end -}}

{{/* The rule of a file. (dict "path" "text" "context") */}}
{{- define "hybrid-llm.alert" -}}
{{- $alert := fromYaml .text -}}
{{- $context := .context -}}
{{- $rule := $context.rule -}}
{{- $name := base .path | trimSuffix ".yaml" -}}
{{- $own := get $rule.alerts $name | default dict -}}
{{- $wanted := ternary $own.enabled true (hasKey $own "enabled") -}}
{{- if $alert.source -}}{{- $wanted = and $wanted (get $rule.sources $alert.source) -}}{{- end -}}
{{- $expr := tpl $alert.expr $context | trim -}}
{{- if and $wanted $expr -}}
- alert: {{ printf "HybridLLM%s" ($name | replace "-" "_" | camelcase) }}
  expr: {{ $expr | toYaml | trim | nindent 4 | trim }}
  for: {{ default $alert.for $own.for }}
  labels:
    {{- with $rule.alertLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
    severity: {{ default $alert.severity $own.severity | quote }}
    namespace: {{ $context.namespace | quote }}
    release: {{ $context.fullname | quote }}
  annotations:
    summary: {{ $alert.summary | quote }}
    description: {{ $alert.description | quote }}
    runbook_url: {{ printf "%s/%s.md" $rule.runbookUrl $name | quote }}
{{- end -}}
{{- end -}}

{{/* Share of streams whose answer began too late. (list context "window") */}}
{{- define "hybrid-llm.late" -}}
{{- $at := index . 0 -}}
{{- $window := index . 1 -}}
{{- $name := "ray_hybrid_llm_time_to_first_answer_token_seconds" -}}
{{- $quick := "off|adaptive_answered" -}}
{{- $in := list -}}
{{- range list (list "=~" $at.rule.objectives.answerSeconds) (list "!~" $at.rule.objectives.thinkingAnswerSeconds) -}}
  {{- $in = append $in (printf "(sum(rate(%s_bucket{%s, mode%s%q, le=~\"%v([.]0)?\"}[%s])) or vector(0))" $name $at.ours (first .) $quick (last .) $window) -}}
{{- end -}}
(1 - ({{ join " + " $in }}) / sum(rate({{ $name }}_count{ {{- $at.ours }}}[{{ $window }}])))
{{- end -}}
