{{/* A replica over several hosts: what keeps it from being one, and which would do. */}}

{{/* More accelerators than the hosts have. (dict "plan" "model") */}}
{{- define "hybrid-llm.requirements.hosts" -}}
{{- $m := .model -}}
{{- $most := $m.accelerator.maxPerNode | int -}}
{{- $way := printf "use at most %d for parallelism.tensor, and parallelism.pipeline and parallelism.hosts for more" $most -}}
{{- if le ($m.tensor | int) $most -}}
  {{- $enough := 0 -}}
  {{- range $hosts := untilStep 2 (add1 $m.pipeline | int) 1 -}}
    {{- if and (not $enough) (eq (mod $m.pipeline $hosts) 0) (le (div $m.accelerators $hosts | int) $most) -}}{{- $enough = $hosts -}}{{- end -}}
  {{- end -}}
  {{- $way = printf "set parallelism.hosts=%d; or use fewer, a larger accelerator, a quantized model or a shorter model.maxModelLen" $enough -}}
{{- end -}}
{{- $hosts := ternary "a host has" (printf "%d hosts have" $m.hosts) (eq $m.hosts 1) -}}
{{- include "hybrid-llm.problem" (list .plan (printf "%sparallelism" $m.at) (printf "tensor %d x pipeline %d" $m.tensor $m.pipeline) (printf "%s at most %d of %s" $hosts (mul $most $m.hosts) (default "these" $m.label)) $way) -}}
{{- end -}}

{{/* The smallest shape over several hosts that fits, in words, or nothing. (dict "model") */}}
{{- define "hybrid-llm.hostsThatFit" -}}
{{- $m := .model -}}
{{- $found := "" -}}
{{- if not (or $m.slice $m.cpu) -}}
  {{- range $hosts := list 2 4 -}}
    {{- range $size := include "hybrid-llm.tensorSizes" (dict "model" $m "pipeline" $hosts "hosts" $hosts) | fromJsonArray -}}
      {{- if and (not $found) (le $hosts ($m.spec.layers | int)) -}}
        {{- $out := dict -}}
        {{- include "hybrid-llm.fit" (dict "model" $m "tensor" $size "pipeline" $hosts "out" $out) -}}
        {{- if ge $out.fit.sequences 1 -}}
          {{- $found = printf "parallelism.tensor=%v with parallelism.pipeline=%d and parallelism.hosts=%d" $size $hosts $hosts -}}
        {{- end -}}
      {{- end -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- $found -}}
{{- end -}}
